// One device: what it holds, and what the office decides about it.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { spanText } from '../../ui/format';
import { toast } from '../../ui/toast';
import { Banner, Tag } from '../../ui/words';
import { ApiError, explain, post, put } from '../api';
import { readDevice, stateText } from '../devices';
import { useLoad } from '../load';
import { FieldDiff } from '../parts/diff';
import { ConfirmDialog, Dialog, useDoing, Wrong } from '../parts/dialog';
import { CheckField, SelectField } from '../parts/fields';
import { PageHead } from '../parts/header';
import { ScopeList, ScopesField } from '../parts/scope_fields';
import { Behind, Waiting } from '../parts/table';
import { When } from '../parts/time';
import { placeText } from '../router';
import { isAdministrator } from '../session';
import { ROLES, type DeviceRow, type Role } from '../types';
import { t } from '../words';
import { SeenText } from './devices';
import { ReplaceDialog } from './enrol';

const AGAIN_MS = 10_000;
// While the office waits for the device to do something, it wants to see that it has.
const EAGER_MS = 1_500;

function again({ state, queued, wipe }: DeviceRow): number {
  const waits = (wipe !== null && wipe.confirmed === null) || (state === 'draining' && queued > 0);
  return waits ? EAGER_MS : AGAIN_MS;
}

const within = () => ({ title: t('devices.title'), href: placeText('devices') });

type Asked = 'move' | 'role' | 'drain' | 'revoke' | 'restore' | 'wipe' | 'replace';

export function DevicePage({ id }: { id: string }) {
  const { data, error, reload, setData } = useLoad(id, (signal) => readDevice(id, signal), { everyMs: again });
  const [asked, setAsked] = useState<Asked | null>(null);
  if (data === null) {
    return (
      <>
        <PageHead title={id} within={within()} />
        {error === null ? <Waiting /> : <Banner tone="bad" title={explain(error)} actions={<Button onClick={reload}>{t('do.retry')}</Button>} />}
      </>
    );
  }
  const { text, tone } = stateText(data);
  const close = () => setAsked(null);
  const took = (row: DeviceRow, words: string) => {
    setData(() => row);
    reload();
    toast(words);
  };
  return (
    <>
      <PageHead title={data.name || data.device} within={within()} about={<><Tag tone={tone}>{text}</Tag> <span class="code">{data.device}</span></>} />
      <Behind error={error} onRetry={reload} />
      <Notes row={data} />
      <div class="columns">
        <div class="stack">
          <Holds row={data} />
          <Facts row={data} />
        </div>
        {isAdministrator() && <Decisions row={data} onAsk={setAsked} />}
      </div>
      {asked === 'move' && <MoveDialog row={data} onClose={close} onDone={(row) => took(row, t('move.done'))} />}
      {asked === 'role' && <RoleDialog row={data} onClose={close} onDone={(row) => took(row, t('role_of.done'))} />}
      {asked === 'replace' && <ReplaceDialog row={data} onClose={close} />}
      {(asked === 'drain' || asked === 'revoke' || asked === 'restore') && <StateDialog row={data} what={asked} onClose={close} onDone={took} />}
      {asked === 'wipe' && <WipeDialog row={data} onClose={close} onDone={took} />}
    </>
  );
}

function Notes({ row }: { row: DeviceRow }) {
  return (
    <div class="banners">
      {row.replaced_by !== null && <Banner tone="wait" title={t('device.replaced_by')}><a href={placeText('devices', [row.replaced_by])}>{row.replaced_by}</a></Banner>}
      {row.replaces !== null && <Banner tone="plain" title={t('device.replaces')}><a href={placeText('devices', [row.replaces])}>{row.replaces}</a></Banner>}
      {row.full && <Banner tone="wait" title={t('device.full')}>{t('device.full_more')}</Banner>}
      {row.clock_wrong && <Banner tone="wait" icon="clock" title={t(row.skew_ms < 0 ? 'device.slow' : 'device.fast', { span: spanText(row.skew_ms) })}>{t('device.clock_more')}</Banner>}
      {row.wipe !== null && (
        <Banner tone="bad" title={t(row.wipe.confirmed === null ? 'device.wiping' : 'device.wiped')}>
          {t('device.wipe_ordered')} <When ms={row.wipe.ordered} exact />
          {row.wipe.confirmed !== null && <> · {t('device.wipe_confirmed')} <When ms={row.wipe.confirmed} exact /></>}
          {row.wipe.discarded > 0 && <> · {t('device.wipe_discarded', { n: row.wipe.discarded })}</>}
        </Banner>
      )}
    </div>
  );
}

/** What still waits on it: the first thing that somebody wants to know of a device. */
function Holds({ row }: { row: DeviceRow }) {
  return (
    <section class="card figures" aria-label={t('device.holds')}>
      <div><strong class="num">{row.queued}</strong><span>{t('device.queued')}</span></div>
      <div><strong>{row.queued === 0 ? '–' : <When ms={row.oldest} />}</strong><span>{t('device.oldest')}</span></div>
      <div><strong><SeenText row={row} /></strong><span>{t('device.last_seen')}</span></div>
    </section>
  );
}

function Facts({ row }: { row: DeviceRow }) {
  const facts: [string, ComponentChildren][] = [
    [t('device.role'), t(`role.${row.role}`)],
    [t('scope.branches'), <ScopeList ids={row.branches} />],
    [t('device.app'), row.app || '–'],
    [t('device.applied'), <span class="num">{row.applied}</span>],
    [t('device.refused'), row.refused === 0 ? '0' : <a class="num" href={placeText('quarantine', [], { device: row.device })}>{row.refused}</a>],
    [t('device.enrolled'), <When ms={row.enrolled} exact />],
    ...(row.since === null ? [] : [[t('device.since'), <When ms={row.since} exact />] as [string, ComponentChildren]]),
  ];
  return (
    <section class="card">
      <h2>{t('device.facts')}</h2>
      <dl class="facts start">{facts.map(([title, value]) => <><dt>{title}</dt><dd>{value}</dd></>)}</dl>
    </section>
  );
}

function Decisions({ row, onAsk }: { row: DeviceRow; onAsk: (asked: Asked) => void }) {
  const open = row.state !== 'closed';
  const entries: { asked: Asked; shown: boolean; danger?: true }[] = [
    { asked: 'move', shown: open },
    { asked: 'role', shown: open },
    { asked: 'replace', shown: row.replaced_by === null && open },
    { asked: 'drain', shown: row.state === 'active' },
    { asked: 'restore', shown: (row.state !== 'active' || row.wipe !== null) && row.wipe?.confirmed == null && row.replaced_by === null },
    { asked: 'revoke', shown: open, danger: true },
    { asked: 'wipe', shown: row.wipe === null, danger: true },
  ];
  return (
    <section class="card decisions">
      <h2>{t('device.decisions')}</h2>
      <ul class="rows">
        {entries.filter(({ shown }) => shown).map(({ asked, danger }) => (
          <li key={asked}>
            <div>
              <strong>{t(`decide.${asked}`)}</strong>
              <p class="small quiet">{t(`decide_more.${asked}`)}</p>
            </div>
            <Button kind={danger === true ? 'danger' : 'plain'} onClick={() => onAsk(asked)}>{t(`decide_do.${asked}`)}</Button>
          </li>
        ))}
      </ul>
      <div class="row">
        <a href={placeText('access', [], { device: row.device })}>{t('device.to_access')}</a>
        <a href={placeText('audit', [], { q: row.device })}>{t('device.to_audit')}</a>
      </div>
    </section>
  );
}

interface ChangeProps {
  row: DeviceRow;
  onClose: () => void;
  onDone: (row: DeviceRow) => void;
}

/** What somebody else has made of the device while this dialog was open. */
function useChanged(row: DeviceRow) {
  const [opened, setOpened] = useState(row);
  const [was, setWas] = useState<DeviceRow | null>(null);
  /** Whether it was that: then the dialog shows it, and the next try builds on it. */
  const catchChanged = async (error: unknown): Promise<void> => {
    if (!(error instanceof ApiError) || error.code !== 'device.changed') throw error;
    const now = await readDevice(row.device);
    setWas(opened);
    setOpened(now);
  };
  return { opened, was, catchChanged };
}

function MoveDialog({ row, onClose, onDone }: ChangeProps) {
  const { opened, was, catchChanged } = useChanged(row);
  const [scopes, setScopes] = useState([...row.branches]);
  const { busy, error, run, setError } = useDoing();
  const save = () => {
    if (scopes.length === 0) return setError(t('scope.missing'));
    run(async () => {
      try {
        onDone(await put<DeviceRow>(`/v1/devices/${row.device}/scopes`, { scopes, was: opened.branches }));
        onClose();
      } catch (fault) {
        await catchChanged(fault);
      }
    });
  };
  return (
    <Dialog title={t('move.title', { name: row.name || row.device })} held onClose={onClose}>
      <form class="stack" onSubmit={(event) => {
        event.preventDefault();
        save();
      }}>
        <p class="quiet">{t('move.more')}</p>
        {was !== null && <Changed rows={[{ label: t('scope.branches'), before: <ScopeList ids={was.branches} />, after: <ScopeList ids={opened.branches} />, mine: <ScopeList ids={scopes} /> }]} />}
        <ScopesField value={scopes} onChange={setScopes} />
        <Wrong text={error} />
        <div class="row ends"><Button onClick={onClose}>{t('do.cancel')}</Button><Button type="submit" kind="primary" busy={busy}>{t(was === null ? 'do.save' : 'do.save_mine')}</Button></div>
      </form>
    </Dialog>
  );
}

function RoleDialog({ row, onClose, onDone }: ChangeProps) {
  const { opened, was, catchChanged } = useChanged(row);
  const [role, setRole] = useState<Role>(row.role);
  const { busy, error, run } = useDoing();
  const save = () => run(async () => {
    try {
      onDone(await put<DeviceRow>(`/v1/devices/${row.device}/role`, { role, was: opened.role }));
      onClose();
    } catch (fault) {
      await catchChanged(fault);
    }
  });
  return (
    <Dialog title={t('role_of.title', { name: row.name || row.device })} onClose={onClose} held={role !== row.role}>
      <form class="stack" onSubmit={(event) => {
        event.preventDefault();
        save();
      }}>
        {was !== null && <Changed rows={[{ label: t('device.role'), before: t(`role.${was.role}`), after: t(`role.${opened.role}`), mine: t(`role.${role}`) }]} />}
        <RoleField value={role} onChange={setRole} />
        <p class="small"><a href={placeText('policy')}>{t('role_of.to_policy')}</a></p>
        <Wrong text={error} />
        <div class="row ends"><Button onClick={onClose}>{t('do.cancel')}</Button><Button type="submit" kind="primary" busy={busy}>{t(was === null ? 'do.save' : 'do.save_mine')}</Button></div>
      </form>
    </Dialog>
  );
}

export function RoleField({ value, onChange }: { value: Role; onChange: (role: Role) => void }) {
  return <SelectField label={t('device.role')} hint={t(`role_hint.${value}`)} value={value} choices={ROLES.map((role) => [role, t(`role.${role}`)] as const)} onChange={onChange} />;
}

export function Changed({ rows }: { rows: Parameters<typeof FieldDiff>[0]['rows'] }) {
  return (
    <Banner tone="wait" title={t('changed.title')} spoken>
      {t('changed.more')}
      <FieldDiff label={t('changed.title')} rows={rows} />
    </Banner>
  );
}

interface DecideProps {
  row: DeviceRow;
  onClose: () => void;
  onDone: (row: DeviceRow, words: string) => void;
}

/** How the device stood when this was decided: whoever decided meanwhile is not overruled unseen. */
function standing({ state, wipe }: DeviceRow): { state: string; wipe: number | null } {
  return { state, wipe: wipe?.ordered ?? null };
}

function StateDialog({ row, what, onClose, onDone }: DecideProps & { what: 'drain' | 'revoke' | 'restore' }) {
  const [opened] = useState(row);
  return (
    <ConfirmDialog
      title={t(`decide_ask.${what}`, { name: row.name || row.device })}
      act={t(`decide_do.${what}`)}
      danger={what === 'revoke'}
      onClose={onClose}
      onDo={async () => onDone(await post<DeviceRow>(`/v1/devices/${row.device}/${what}`, { was: standing(opened) }), t(`decide_done.${what}`))}
    >
      <p>{t(`decide_more.${what}`)}</p>
      {what === 'revoke' && row.queued > 0 && <Banner tone="wait" title={t('device.still_holds', { n: row.queued })}>{t('device.still_holds_more')}</Banner>}
    </ConfirmDialog>
  );
}

function WipeDialog({ row, onClose, onDone }: DecideProps) {
  const [opened] = useState(row);
  const [now, setNow] = useState(false);
  return (
    <ConfirmDialog
      title={t('decide_ask.wipe', { name: row.name || row.device })}
      act={t('decide_do.wipe')}
      danger
      typed={row.name || row.device}
      onClose={onClose}
      onDo={async () => onDone(await post<DeviceRow>(`/v1/devices/${row.device}/wipe`, { now, was: standing(opened) }), t('decide_done.wipe'))}
    >
      <p>{t('decide_more.wipe')}</p>
      <CheckField label={t('wipe.now')} hint={t('wipe.now_hint')} checked={now} onChange={setNow} />
      {now && row.queued > 0 && <Banner tone="bad" title={t('wipe.lost', { n: row.queued })} />}
    </ConfirmDialog>
  );
}
