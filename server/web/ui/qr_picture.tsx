import { useEffect, useState } from 'preact/hooks';

const QUIET = 2;

/** A QR code as one path of squares; its maker is loaded when one is first shown. */
export function QrPicture({ text, label }: { text: string; label: string }) {
  const [drawn, setDrawn] = useState<{ size: number; path: string } | null>(null);
  useEffect(() => {
    let ended = false;
    import('qrcode-generator')
      .then(({ default: make }) => {
        const code = make(0, 'M');
        code.addData(text);
        code.make();
        const size = code.getModuleCount();
        let path = '';
        for (let y = 0; y < size; ++y) {
          for (let x = 0; x < size; ++x) if (code.isDark(y, x)) path += `M${x + QUIET} ${y + QUIET}h1v1h-1z`;
        }
        if (!ended) setDrawn({ size: size + 2 * QUIET, path });
      })
      .catch(() => undefined);
    return () => {
      ended = true;
    };
  }, [text]);
  return (
    <figure class="qr">
      {drawn !== null && (
        <svg viewBox={`0 0 ${drawn.size} ${drawn.size}`} role="img" aria-label={label} shape-rendering="crispEdges">
          <path d={drawn.path} />
        </svg>
      )}
    </figure>
  );
}
