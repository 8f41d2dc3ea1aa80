// The first page: this phone gets its place with a code from the office.

import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/fields';
import { t } from '../../ui/i18n';
import { Banner } from '../../ui/words';
import { codeOf, explain } from '../act';
import { device } from '../device';
import { LanguageSwitch } from '../../ui/language_switch';
import { QrCamera } from '../parts/qr_camera';
import { parseEnroll, plainCode } from '../qr_texts';
import { replace } from '../router';

/** Ten characters in two groups, as they are written on the slip. */
function grouped(text: string): string {
  const plain = plainCode(text).slice(0, 10);
  return plain.length > 5 ? `${plain.slice(0, 5)}-${plain.slice(5)}` : plain;
}

export function EnrollPage({ code: given = '' }: { code?: string | undefined }) {
  const [code, setCode] = useState(grouped(given));
  const [name, setName] = useState('');
  const [scanning, setScanning] = useState(false);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const [elsewhere, setElsewhere] = useState<string | null>(null);

  async function enroll(text: string): Promise<void> {
    if (plainCode(text).length !== 10) return setWrong(t('enroll.length'));
    setBusy(true);
    setWrong(null);
    try {
      await device().enroll(location.origin, plainCode(text), name.trim() || t('enroll.unnamed'));
      replace({ page: 'home' });
      device().start();
    } catch (error) {
      setWrong(explain(codeOf(error)));
    } finally {
      setBusy(false);
    }
    return undefined;
  }

  function scanned(text: string): void {
    const found = parseEnroll(text);
    if (found === null) return setWrong(t('enroll.not_ours'));
    setScanning(false);
    setCode(grouped(found.code));
    if (found.server !== null && new URL(found.server).origin !== location.origin) return setElsewhere(found.server);
    enroll(found.code);
    return undefined;
  }

  return (
    <div class="frame">
      <main class="frame-body" tabIndex={0}>
        <form
          class="welcome"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            enroll(code);
          }}
        >
          <div class="head-row">
            <img class="mark" src={`${import.meta.env.BASE_URL}icons/mark.svg`} alt="" width="64" height="64" />
            <LanguageSwitch />
          </div>
          <div class="stack tight">
            <h1>{t('enroll.title')}</h1>
            <p class="quiet">{t('enroll.lead')}</p>
          </div>
          {elsewhere !== null && (
            <Banner
              tone="wait"
              title={t('enroll.elsewhere')}
              actions={<a class="button" href={`${new URL(elsewhere).origin}/app/#/enroll?code=${plainCode(code)}`}>{t('enroll.go_there')}</a>}
            >
              <p>{elsewhere}</p>
            </Banner>
          )}
          {scanning ? (
            <div class="stack">
              <QrCamera onText={scanned} />
              {wrong !== null && <Banner tone="bad" title={wrong} spoken />}
              <Button wide onClick={() => setScanning(false)}>{t('enroll.type')}</Button>
            </div>
          ) : (
            <>
              <Button kind="primary" icon="scan" wide busy={busy} onClick={() => { setWrong(null); setScanning(true); }}>
                {t('enroll.scan')}
              </Button>
              <p class="or quiet"><span>{t('enroll.or')}</span></p>
              <TextField
                label={t('enroll.code')}
                hint={t('enroll.code_hint')}
                value={code}
                wrong={wrong}
                className="code-input"
                maxLength={14}
                onInput={(value) => { setCode(grouped(value)); setWrong(null); }}
              />
              <TextField label={t('enroll.name')} hint={t('enroll.name_hint')} value={name} maxLength={60} onInput={setName} />
              <Button type="submit" wide busy={busy}>{t('enroll.do')}</Button>
            </>
          )}
        </form>
      </main>
    </div>
  );
}
