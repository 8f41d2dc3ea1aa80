// Who may sign in to the office.

import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/fields';
import { toast } from '../../ui/toast';
import { Banner, Tag } from '../../ui/words';
import { ApiError, get, post, put } from '../api';
import { useLoad } from '../load';
import { CopyButton } from '../parts/copy';
import { ConfirmDialog, Dialog, useDoing, Wrong } from '../parts/dialog';
import { CheckField, SelectField } from '../parts/fields';
import { PageHead } from '../parts/header';
import { DataTable, type Column } from '../parts/table';
import { When } from '../parts/time';
import { placeText, replace, type Place } from '../router';
import { session } from '../session';
import type { Account, LinkReply } from '../types';
import { t } from '../words';
import { Changed } from './device';

interface AccountsReply {
  accounts: Account[];
}

const path = (name: string) => `/v1/office/accounts/${encodeURIComponent(name)}`;
const roles = () => [['office', t('role.office')], ['administrator', t('role.administrator')]] as const;

function StateTag({ account }: { account: Account }) {
  if (account.disabled) return <Tag tone="bad">{t('account.disabled')}</Tag>;
  if (account.password) return <Tag tone="good">{t('account.active')}</Tag>;
  return <Tag tone="wait">{t('account.waits')}</Tag>;
}

function columns(): Column<Account>[] {
  return [
    { name: 'name', title: t('account.person'), grows: true, cell: ({ name, display }) => <span class="two"><span>{display}</span><span class="small quiet code">{name}</span></span> },
    { name: 'role', title: t('device.role'), cell: ({ role }) => t(`role.${role}`) },
    { name: 'second', title: t('me.second'), cell: ({ second_factor: second, recovery_codes: left }) => (second ? <><Tag tone="good">{t('me.second_on')}</Tag> <span class="small quiet">{t('account.recovery', { n: left })}</span></> : <Tag tone="wait">{t('me.second_off')}</Tag>) },
    { name: 'sessions', title: t('account.sessions'), end: true, cell: ({ sessions }) => sessions },
    { name: 'signed_in', title: t('account.signed_in'), cell: ({ signed_in: at }) => <When ms={at} /> },
    { name: 'state', title: t('device.state'), cell: (account) => <StateTag account={account} /> },
  ];
}

interface Link {
  name: string;
  reply: LinkReply;
}

export function AccountsPage({ query }: Place) {
  const { data, error, loading, reload } = useLoad('accounts', (signal) => get<AccountsReply>('/v1/office/accounts', {}, signal));
  const [link, setLink] = useState<Link | null>(null);
  const open = query.get('open');
  const chosen = data?.accounts.find(({ name }) => name === open);
  const close = () => replace(placeText('accounts'));
  return (
    <>
      <PageHead title={t('accounts.title')} about={t('accounts.about')} actions={<a class="button primary" href={placeText('accounts', [], { add: 1 })}>{t('account.add')}</a>} />
      <DataTable label={t('accounts.title')} columns={columns()} rows={data?.accounts ?? null} keyOf={({ name }) => name} hrefOf={({ name }) => placeText('accounts', [], { open: name })}
                 loading={loading} error={error} onRetry={reload} empty={{ icon: 'people', title: t('accounts.none') }} />
      {query.has('add') && <AddDialog onClose={close} onDone={(made) => {
        setLink(made);
        close();
        reload();
      }} />}
      {chosen !== undefined && <EditDialog account={chosen} onClose={close} onLink={setLink} onSaved={reload} />}
      {link !== null && <LinkDialog link={link} onClose={() => setLink(null)} />}
    </>
  );
}

function AddDialog({ onClose, onDone }: { onClose: () => void; onDone: (link: Link) => void }) {
  const [name, setName] = useState('');
  const [display, setDisplay] = useState('');
  const [role, setRole] = useState<Account['role']>('office');
  const { busy, error, run } = useDoing();
  return (
    <Dialog title={t('account.add')} held={name !== '' || display !== ''} onClose={onClose}>
      <form class="stack" onSubmit={(event) => {
        event.preventDefault();
        run(async () => {
          const reply = await post<LinkReply>('/v1/office/accounts', { name: name.trim(), display: display.trim(), role });
          onDone({ name: display.trim() || name.trim(), reply });
        });
      }}>
        <TextField label={t('setup.display')} hint={t('setup.display_hint')} value={display} onInput={setDisplay} maxLength={64} required />
        <TextField label={t('setup.name')} hint={t('setup.name_hint')} value={name} onInput={setName} maxLength={64} required />
        <SelectField label={t('device.role')} hint={t(`account_role.${role}`)} value={role} choices={roles()} onChange={setRole} />
        <Wrong text={error} />
        <div class="row ends"><Button onClick={onClose}>{t('do.cancel')}</Button><Button type="submit" kind="primary" busy={busy}>{t('account.add_do')}</Button></div>
      </form>
    </Dialog>
  );
}

function LinkDialog({ link: { name, reply }, onClose }: { link: Link; onClose: () => void }) {
  const address = `${location.origin}${reply.path}`;
  return (
    <Dialog title={t('link.title', { name })} held onClose={onClose}>
      <p>{t('link.more')}</p>
      <p class="link-box code">{address}</p>
      <p class="small quiet">{t('code.until')} <When ms={reply.expires} exact />. {t('link.once')}</p>
      <div class="row ends"><CopyButton text={address} label={t('link.copy')} /><Button kind="primary" onClick={onClose}>{t('enrol.done')}</Button></div>
    </Dialog>
  );
}

/** The accounts have no version to ask for: what is there is looked at right before it is changed. */
async function sameAs(opened: Account): Promise<Account | null> {
  const { accounts } = await get<AccountsReply>('/v1/office/accounts');
  const now = accounts.find(({ name }) => name === opened.name);
  if (now === undefined) throw new ApiError('http.not_found', 404, opened.name);
  return now.display === opened.display && now.role === opened.role && now.disabled === opened.disabled ? null : now;
}

function EditDialog({ account, onClose, onLink, onSaved }: { account: Account; onClose: () => void; onLink: (link: Link) => void; onSaved: () => void }) {
  const [opened, setOpened] = useState(account);
  const [was, setWas] = useState<Account | null>(null);
  const [display, setDisplay] = useState(account.display);
  const [role, setRole] = useState(account.role);
  const [disabled, setDisabled] = useState(account.disabled);
  const [resetting, setResetting] = useState(false);
  const { busy, error, run } = useDoing();
  const own = account.name === session().name;
  const dirty = display !== account.display || role !== account.role || disabled !== account.disabled;
  const save = () => run(async () => {
    const other = await sameAs(opened);
    if (other !== null) {
      setWas(opened);
      setOpened(other);
      return;
    }
    await put(path(account.name), { display: display.trim(), role, disabled, was: { display: opened.display, role: opened.role, disabled: opened.disabled } });
    toast(t('account.saved'));
    onSaved();
    onClose();
  });
  const yesNo = (on: boolean) => t(on ? 'account.disabled' : 'account.active');
  return (
    <Dialog title={account.display} held={dirty} onClose={onClose}>
      <form class="stack" onSubmit={(event) => {
        event.preventDefault();
        save();
      }}>
        <p class="quiet"><span class="code">{account.name}</span> · {t('account.made')} <When ms={account.made} exact /></p>
        {!account.password && account.link_expires !== null && <Banner tone="plain" title={t('account.waits')}>{t('account.link_until')} <When ms={account.link_expires} exact /></Banner>}
        {was !== null && (
          <Changed rows={[
            { label: t('setup.display'), before: was.display, after: opened.display, mine: display },
            { label: t('device.role'), before: t(`role.${was.role}`), after: t(`role.${opened.role}`), mine: t(`role.${role}`) },
            { label: t('device.state'), before: yesNo(was.disabled), after: yesNo(opened.disabled), mine: yesNo(disabled) },
          ].filter(({ before, after, mine }) => before !== after || after !== mine)} />
        )}
        <TextField label={t('setup.display')} value={display} onInput={setDisplay} maxLength={64} required />
        <SelectField label={t('device.role')} hint={t(`account_role.${role}`)} value={role} choices={roles()} onChange={setRole} />
        <CheckField label={t('account.disable')} hint={t('account.disable_hint')} checked={disabled} onChange={setDisabled} />
        {own && disabled && <Banner tone="wait" title={t('account.own')} />}
        <Wrong text={error} />
        <div class="row spread">
          <Button kind="danger" onClick={() => setResetting(true)}>{t('account.reset')}</Button>
          <span class="row"><Button onClick={onClose}>{t('do.cancel')}</Button><Button type="submit" kind="primary" busy={busy}>{t(was === null ? 'do.save' : 'do.save_mine')}</Button></span>
        </div>
      </form>
      {resetting && (
        <ConfirmDialog title={t('account.reset_ask', { name: account.display })} act={t('account.reset')} danger onClose={() => setResetting(false)} onDo={async () => {
          const reply = await post<LinkReply>(`${path(account.name)}/reset`);
          onLink({ name: account.display, reply });
          onSaved();
          onClose();
        }}>
          <p>{t('account.reset_more')}</p>
        </ConfirmDialog>
      )}
    </Dialog>
  );
}
