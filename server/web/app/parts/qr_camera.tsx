// The camera, looking for a QR code. The reader is loaded when the camera is; frames are read on the phone and
// kept nowhere.

import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../ui/i18n';
import { Banner } from '../../ui/words';

/** Frames are read at most this wide: a code held up to the phone is large in the picture. */
const READ_PX = 640;
const PAUSE_MS = 120;

type Trouble = 'denied' | 'none';

export function QrCamera({ onText }: { onText: (text: string) => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [isOpen, setIsOpen] = useState(false);
  const found = useRef(onText);
  found.current = onText;

  useEffect(() => {
    let ended = false;
    let stream: MediaStream | null = null;
    let last = '';

    async function look(): Promise<void> {
      if (navigator.mediaDevices === undefined) return setTrouble('none');
      const { default: read } = await import('jsqr');
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' }, audio: false });
      } catch (error) {
        return setTrouble(error instanceof DOMException && error.name === 'NotAllowedError' ? 'denied' : 'none');
      }
      const element = video.current;
      if (ended || element === null) return stream.getTracks().forEach((track) => track.stop());
      element.srcObject = stream;
      await element.play().catch(() => undefined);
      setIsOpen(true);
      const canvas = document.createElement('canvas');
      const context = canvas.getContext('2d', { willReadFrequently: true });
      while (!ended && context !== null) {
        if (element.videoWidth > 0) {
          const scale = Math.min(1, READ_PX / element.videoWidth);
          canvas.width = Math.round(element.videoWidth * scale);
          canvas.height = Math.round(element.videoHeight * scale);
          context.drawImage(element, 0, 0, canvas.width, canvas.height);
          const picture = context.getImageData(0, 0, canvas.width, canvas.height);
          const code = read(picture.data, canvas.width, canvas.height, { inversionAttempts: 'dontInvert' });
          const text = code?.data ?? '';
          if (text !== '' && text !== last) found.current(text);
          // The same code is told again once it has been out of the picture.
          last = text;
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
      return undefined;
    }

    look().catch(() => setTrouble('none'));
    return () => {
      ended = true;
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, []);

  if (trouble !== null) {
    return (
      <Banner tone="wait" icon="camera" title={t(trouble === 'denied' ? 'camera.denied' : 'camera.none')}>
        <p>{t(trouble === 'denied' ? 'camera.denied_do' : 'camera.none_do')}</p>
      </Banner>
    );
  }
  return (
    <div class="camera">
      {!isOpen && <p class="starting">{t('camera.starting')}</p>}
      <video ref={video} muted playsInline aria-label={t('camera.label')} />
    </div>
  );
}
