// The photos of a record: how many of them the server holds, and taking another.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { Icon } from '../../ui/icon';
import { t } from '../../ui/i18n';
import { Sheet } from '../../ui/sheet';
import { toast } from '../../ui/toast';
import { Tag } from '../../ui/words';
import { codeOf, explain } from '../act';
import { text } from '../fields';
import { pictureFromServer, pictureOf } from '../files';
import type { LiveRecord } from '../live';
import { may } from '../may';
import { addPhoto, isPresent, keptHere, shareSent, takePhotoBack, usePhotosOf } from '../photos';

/** The picture that `read` gives, read anew when `from` changes; `failed` where there is none to be had. */
function usePicture(read: () => Promise<Blob | undefined>, from: string): { url: string | null; failed: boolean } {
  const [url, setUrl] = useState<string | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let made: string | null = null;
    let ended = false;
    setFailed(false);
    read().then(
      (blob) => {
        if (blob === undefined || ended) return;
        made = URL.createObjectURL(blob);
        setUrl(made);
      },
      () => {
        if (!ended) setFailed(true);
      },
    );
    return () => {
      ended = true;
      if (made !== null) URL.revokeObjectURL(made);
      setUrl(null);
    };
  }, [from]);
  return { url, failed };
}

/** Where this phone still holds it. */
async function heldPicture(record: LiveRecord): Promise<Blob | undefined> {
  return keptHere(record.id) === undefined ? undefined : pictureOf(text(record.fields, 'blob'));
}

/** The same, or from the server, where that has it. */
async function anyPicture(record: LiveRecord): Promise<Blob | undefined> {
  const held = await heldPicture(record);
  if (held !== undefined || !isPresent(record.fields)) return held;
  return pictureFromServer(record.scope, record.id, text(record.fields, 'blob'));
}

function Photo({ record, number, onOpen }: { record: LiveRecord; number: number; onOpen: () => void }) {
  const held = keptHere(record.id) !== undefined;
  const { url } = usePicture(() => heldPicture(record), `${record.id} ${held}`);
  const present = isPresent(record.fields);
  const state = present ? t('photos.there') : held ? t('photos.sending', { n: Math.round(shareSent(record.id) * 100) }) : t('photos.elsewhere');
  return (
    <li>
      <button type="button" class="photo" aria-label={t('photos.one', { n: number, state })} onClick={onOpen}>
        {url === null ? <span class="away"><Icon name="camera" /></span> : <img src={url} alt="" />}
        <Tag tone={present ? 'good' : 'wait'} icon={present ? 'check' : 'clock'}>{state}</Tag>
      </button>
    </li>
  );
}

export function PhotoCard({ scope, coll, id }: { scope: string; coll: string; id: string }) {
  const { list, all, missing } = usePhotosOf(scope, coll, id);
  const [busy, setBusy] = useState(false);
  const [open, setOpen] = useState<LiveRecord | null>(null);
  const camera = useRef<HTMLInputElement>(null);
  const album = useRef<HTMLInputElement>(null);

  async function take(files: File[]): Promise<void> {
    setBusy(true);
    try {
      let added = 0;
      for (const file of files) if (await addPhoto({ scope, coll, id }, file)) ++added;
      if (added > 0) toast(t('photos.added', { n: added }));
    } catch (error) {
      const code = codeOf(error);
      toast(code === 'internal' ? t('photos.unreadable') : t('edit.not_kept', { why: explain(code) }));
    } finally {
      setBusy(false);
    }
  }

  function taken(event: JSX.TargetedEvent<HTMLInputElement>): void {
    const files = [...(event.currentTarget.files ?? [])];
    event.currentTarget.value = '';
    void take(files);
  }

  return (
    <section class="card">
      <div class="head-row">
        <h2>{t('photos.title')}</h2>
        {all > 0 && <span class="num note quiet">{t('photos.present', { n: all - missing, m: all })}</span>}
      </div>
      {all > 0 && <ul class="photos">{list.map((record, i) => <Photo key={record.id} record={record} number={i + 1} onOpen={() => setOpen(record)} />)}</ul>}
      {all === 0 && <p class="quiet note">{t('photos.none')}</p>}
      {may('photo', 'create') ? (
        <>
          <input ref={camera} type="file" accept="image/*" capture="environment" hidden aria-label={t('photos.take')} onChange={taken} />
          <input ref={album} type="file" accept="image/*" multiple hidden aria-label={t('photos.choose')} onChange={taken} />
          <div class="row stretch">
            <Button icon="camera" busy={busy} onClick={() => camera.current?.click()}>{t('photos.take')}</Button>
            <Button busy={busy} onClick={() => album.current?.click()}>{t('photos.choose')}</Button>
          </div>
        </>
      ) : (
        <p class="quiet note">{t('photos.not_allowed')}</p>
      )}
      {open !== null && (
        <Sheet title={t('photos.title')} onClose={() => setOpen(null)}>
          <Picture record={open} />
          <p class="quiet">{t(isPresent(open.fields) ? 'photos.there_more' : 'photos.wait')}</p>
          {may('photo', 'delete') && (
            <Button kind="danger" onClick={() => { void takePhotoBack(open); setOpen(null); }}>{t('photos.delete')}</Button>
          )}
        </Sheet>
      )}
    </section>
  );
}

function Picture({ record }: { record: LiveRecord }) {
  const present = isPresent(record.fields);
  const { url, failed } = usePicture(() => anyPicture(record), `${record.id} ${present}`);
  if (url !== null) return <img class="picture" src={url} alt={t('photos.title')} />;
  return <p class="quiet">{t(failed ? 'photos.no_network' : present ? 'photos.loading' : 'photos.not_here')}</p>;
}
