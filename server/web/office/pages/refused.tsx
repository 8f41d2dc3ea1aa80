// One op that the server refused: what it was to do and why it did not, and the ways on: corrected and handed
// in again, dismissed with a note, taken up again.

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/fields';
import { toast } from '../../ui/toast';
import { Banner } from '../../ui/words';
import { ApiError, explain } from '../api';
import { deviceName, useDeviceNames } from '../device_names';
import { wrongWith } from '../drafts';
import { handIn, isChanged } from '../edits';
import { text } from '../field_text';
import { useLoad } from '../load';
import { collTitle, fieldOf, fieldTitle } from '../names';
import { opLines, refusedText } from '../op_text';
import { Dialog, useDoing, Wrong } from '../parts/dialog';
import { CheckField } from '../parts/fields';
import { FieldInput } from '../parts/field_input';
import { PageHead } from '../parts/header';
import { ScopeName } from '../parts/scope_fields';
import { Behind, Waiting } from '../parts/table';
import { absoluteText, When } from '../parts/time';
import { RecordLink } from '../parts/values';
import { forgetNames } from '../record_names';
import { editsIn, editsOfLines, fitsForm, linesOf, parseEdits, readOp, readRefused, refusedName, replayEdit, setState, type Corrected, type Line } from '../refused';
import { placeText } from '../router';
import type { HandedIn, RecordRow } from '../types';
import { t } from '../words';
import { StateTag } from './quarantine';

const AGAIN_MS = 15_000;
const within = () => ({ title: t('quarantine.title'), href: placeText('quarantine') });

export function RefusedPage({ id }: { id: string }) {
  const row = useLoad(id, (signal) => readRefused(id, signal), { everyMs: AGAIN_MS });
  const op = useLoad(`op ${id}`, async (signal) => ({ found: await readOp(id, signal) }));
  if (row.data === null || op.data === null) {
    const missing = row.data === null ? row : op;
    return (
      <>
        <PageHead title={id} within={within()} />
        {missing.error === null ? <Waiting /> : <Banner tone="bad" title={explain(missing.error)} actions={<Button onClick={missing.reload}>{t('do.retry')}</Button>} />}
      </>
    );
  }
  return <One row={row.data} op={op.data.found} behind={<Behind error={row.error} onRetry={row.reload} />} onAgain={row.reload} />;
}

interface OneProps {
  row: RecordRow;
  op: HandedIn | null;
  behind: VNode;
  onAgain: () => void;
}

function One({ row, op, behind, onAgain }: OneProps) {
  const names = useDeviceNames();
  const fields = row.fields ?? {};
  const state = text(fields, 'state');
  const code = text(fields, 'code');
  const [dismissing, setDismissing] = useState(false);
  const [changed, setChanged] = useState(false);
  // What somebody has typed into stays, whatever becomes of the op meanwhile.
  const [touched, setTouched] = useState(false);
  const { busy, error, run } = useDoing();
  const variant = refusedName(row.id)?.variant === true;
  const stateOr = async (doing: () => Promise<void>) => {
    setChanged(false);
    try {
      await doing();
    } catch (fault) {
      if (!isChanged(fault)) throw fault;
      setChanged(true);
      onAgain();
      throw fault;
    }
    onAgain();
  };
  const forms = state === 'open' || touched;
  const takeUp = () => run(() => stateOr(async () => {
    await setState(row, { state: 'open', reason: null });
    toast(t('refused.taken_up'));
  }));
  return (
    <>
      <PageHead
        title={refusedText(code)}
        within={within()}
        about={<><StateTag state={state} /> <span class="code">{row.id}</span></>}
        actions={state === 'open'
          ? <Button onClick={() => setDismissing(true)}>{t('refused.dismiss')}</Button>
          : <Button busy={busy} onClick={takeUp}>{t('refused.take_up')}</Button>}
      />
      <div class="banners">
        {behind}
        {(changed || (touched && state !== 'open')) && <Banner tone="wait" spoken title={t('changed.title')}>{t('refused.changed_more')}</Banner>}
        {state === 'replayed' && <Banner tone="good" title={t('refused.replayed_as')}><span class="code">{text(fields, 'replayed_by')}</span></Banner>}
        {text(fields, 'reason') !== '' && <Banner tone="plain" title={t('refused.reason')}>{text(fields, 'reason')}</Banner>}
      </div>
      <Wrong text={changed ? null : error} />
      <div class={forms ? 'columns' : 'stack'}>
        {forms && <div class="stack">
          {op !== null && !variant && <Correct key={row.id} id={row.id} op={op} onTouch={() => setTouched(true)} onDone={() => {
            setTouched(false);
            onAgain();
          }} onChanged={() => {
            setChanged(true);
            onAgain();
          }} />}
          {variant && <Banner tone="wait" title={t('refused.variant')}>{t('refused.variant_more')}</Banner>}
          {op === null && <Banner tone="wait" title={t('refused.no_op')} />}
        </div>}
        <section class="card" aria-label={t('refused.op')}>
          <h2>{t('refused.op')}</h2>
          {op !== null && <ul class="plain-list">{opLines(op).map((line) => <li key={line}>{line}</li>)}</ul>}
          <dl class="facts start">
            <dt>{t('conflict.record')}</dt><dd>{collTitle(text(fields, 'coll'))} <RecordLink record={{ scope: text(fields, 'scope'), coll: text(fields, 'coll'), id: text(fields, 'record') }} /></dd>
            <dt>{t('access.scope')}</dt><dd><ScopeName id={text(fields, 'scope')} /></dd>
            <dt>{t('refused.device')}</dt><dd><a href={placeText('devices', [text(fields, 'device')])}>{deviceName(names, text(fields, 'device'))}</a></dd>
            <dt>{t('conflict.received')}</dt><dd><When ms={Number(fields.received_ms ?? 0)} exact /></dd>
            {op !== null && typeof (op as { wall?: unknown }).wall === 'number' && <><dt>{t('conflict.clock')}</dt><dd class="num">{absoluteText((op as unknown as { wall: number }).wall)}</dd></>}
            <dt>{t('refused.code')}</dt><dd class="code small">{code}</dd>
            <dt>{t('refused.detail')}</dt><dd class="small quiet">{text(fields, 'detail')}</dd>
          </dl>
          {op !== null && <details><summary>{t('refused.raw')}</summary><pre class="raw">{JSON.stringify(op, null, 2)}</pre></details>}
        </section>
      </div>
      {dismissing && <DismissDialog onClose={() => setDismissing(false)} onDo={(reason) => stateOr(async () => {
        // The page has followed it while the reason was typed.
        if (state !== 'open') throw new ApiError('edit.changed', 409, '');
        await setState(row, { state: 'dismissed', reason });
        setTouched(false);
        toast(t('refused.dismissed'));
      })} />}
    </>
  );
}

function DismissDialog({ onClose, onDo }: { onClose: () => void; onDo: (reason: string) => Promise<void> }) {
  const [reason, setReason] = useState('');
  const { busy, error, run, setError } = useDoing();
  return (
    <Dialog title={t('refused.dismiss')} held={reason !== ''} onClose={onClose}>
      <form class="stack" onSubmit={(event) => {
        event.preventDefault();
        if (reason.trim() === '') return setError(t('refused.reason_missing'));
        run(async () => {
          await onDo(reason.trim());
          onClose();
        });
      }}>
        <p class="quiet">{t('refused.dismiss_more')}</p>
        <TextField label={t('refused.reason')} value={reason} onInput={setReason} lines maxLength={500} required />
        <Wrong text={error} />
        <div class="row ends"><Button onClick={onClose}>{t('do.cancel')}</Button><Button type="submit" kind="primary" busy={busy}>{t('refused.dismiss')}</Button></div>
      </form>
    </Dialog>
  );
}

// --- correcting ------------------------------------------------------------------------------------------

interface CorrectProps {
  id: string;
  op: HandedIn;
  onTouch: () => void;
  onDone: () => void;
  /** Somebody else has decided meanwhile. */
  onChanged: () => void;
}

function Correct({ id, op, onTouch, onDone, onChanged }: CorrectProps) {
  const coll = op.coll ?? '';
  const [lines, setLines] = useState(() => linesOf(op));
  const [asJson, setAsJson] = useState(!fitsForm(op));
  const [json, setJson] = useState(() => JSON.stringify(editsIn(op), null, 2));
  const [where, setWhere] = useState({ scope: op.scope ?? '', id: op.id ?? '' });
  const [tried, setTried] = useState(false);
  const { busy, error, run, setError } = useDoing();
  const wrongOf = ({ field, text: said }: Line) => {
    const info = fieldOf(coll, field);
    return info === undefined ? null : [said].flat().map((one) => wrongWith(info, one)).find((wrong) => wrong !== null) ?? null;
  };
  const send = () => {
    setTried(true);
    const edits = asJson ? parseEdits(json) : editsOfLines(coll, lines);
    if (typeof edits === 'string') return setError(t('refused.bad_json', { detail: edits }));
    if (!asJson && lines.some((line) => wrongOf(line) !== null)) return setError(t('edit.wrong'));
    const corrected: Corrected = { scope: where.scope.trim(), coll, id: where.id.trim(), edits };
    run(async () => {
      // Somebody else may have replayed or dismissed it while it was being corrected.
      const now = await readRefused(id);
      if (text(now.fields, 'state') !== 'open') return onChanged();
      await handIn([replayEdit(id, op, corrected)]);
      forgetNames();
      toast(t('refused.replayed'));
      onDone();
    });
  };
  return (
    <form class="card" aria-label={t('refused.correct')} onSubmit={(event) => {
      event.preventDefault();
      send();
    }}>
      <h2>{t('refused.correct')}</h2>
      <p class="quiet">{t('refused.correct_more')}</p>
      <div class="pair">
        <TextField label={t('access.scope')} value={where.scope} onInput={(scope) => setWhere({ ...where, scope })} maxLength={64} required />
        <TextField label={t('access.id')} value={where.id} onInput={(next) => setWhere({ ...where, id: next })} maxLength={128} required />
      </div>
      {!asJson && lines.map((line, i) => {
        const wrong = tried ? wrongOf(line) : null;
        const change = (next: Line) => {
          setLines(lines.map((one, at) => (at === i ? next : one)));
          onTouch();
        };
        return (
          <div key={`${line.part} ${line.field}`} class="line">
            <FieldInput coll={coll} field={line.field} label={t(`line.${line.part}`, { field: fieldTitle(coll, line.field) })} value={line.text} wrong={wrong ?? undefined} onChange={(next) => change({ ...line, text: next })} />
            <Button kind="bare" icon="close" label={t('line.leave_out', { field: fieldTitle(coll, line.field) })} onClick={() => {
              setLines(lines.filter((_, at) => at !== i));
              onTouch();
            }} />
          </div>
        );
      })}
      {asJson && <div class="json"><TextField label={t('refused.json')} hint={t('refused.json_hint')} value={json} onInput={(typed) => {
        setJson(typed);
        onTouch();
      }} lines className="code" /></div>}
      {fitsForm(op) && <CheckField label={t('refused.as_json')} checked={asJson} onChange={(on) => {
        if (on) setJson(JSON.stringify(editsOfLines(coll, lines), null, 2));
        else {
          const edits = parseEdits(json);
          if (typeof edits === 'string') return setError(t('refused.bad_json', { detail: edits }));
          if (!fitsForm({ coll, ...edits })) return setError(t('refused.no_form'));
          setLines(linesOf({ coll, ...edits }));
        }
        setError(null);
        setAsJson(on);
      }} />}
      <Wrong text={error} />
      <div class="row ends"><Button type="submit" kind="primary" busy={busy}>{t('refused.replay')}</Button></div>
    </form>
  );
}
