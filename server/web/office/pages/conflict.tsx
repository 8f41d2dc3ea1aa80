// Two values side by side: what each of the two saw and wrote, and when; one is kept, the other taken, or a
// third written, and with that the review ends. Somebody else may be at the same conflict: what they decided
// is shown, and what was typed here stays.

import type { ComponentChildren, VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { Json } from '../../sdk/types';
import { Button } from '../../ui/button';
import { toast } from '../../ui/toast';
import { Banner, Tag } from '../../ui/words';
import { ApiError, explain } from '../api';
import { readConflict, reopenEdits, settleEdit, type ConflictName } from '../conflicts';
import { textToValue, valueToText, wrongWith } from '../drafts';
import { handIn, isChanged, type Edit } from '../edits';
import { hasOwnScope } from '../lists';
import { useLoad } from '../load';
import { collTitle, fieldOf, fieldTitle } from '../names';
import { valueText } from '../op_text';
import { FieldDiff } from '../parts/diff';
import { useDoing, Wrong } from '../parts/dialog';
import { FieldInput } from '../parts/field_input';
import { PageHead } from '../parts/header';
import { Writer } from '../parts/history';
import { ScopeName } from '../parts/scope_fields';
import { Behind, Waiting } from '../parts/table';
import { absoluteText, When } from '../parts/time';
import { RecordLink } from '../parts/values';
import { forgetNames } from '../record_names';
import { placeText } from '../router';
import type { Author, Conflict } from '../types';
import { t } from '../words';

const AGAIN_MS = 15_000;
const within = () => ({ title: t('conflicts.title'), href: placeText('conflicts') });

export function ConflictPage({ name }: { name: ConflictName }) {
  const { data, error, reload, setData } = useLoad(JSON.stringify(name), (signal) => readConflict(name, signal), { everyMs: AGAIN_MS });
  // What is typed stays, whatever becomes of the conflict meanwhile.
  const [text, setText] = useState('');
  const title = fieldTitle(name.coll, name.field);
  const gone = error?.code === 'http.not_found';
  if (data === null || (gone && text === '')) {
    return (
      <>
        <PageHead title={title} within={within()} about={<RecordLink record={name} />} />
        {error === null ? <Waiting /> : gone
          ? <Banner tone="good" title={t('conflict.no_more')}>{t('conflict.no_more_more')}</Banner>
          : <Banner tone="bad" title={explain(error)} actions={<Button onClick={reload}>{t('do.retry')}</Button>} />}
      </>
    );
  }
  const behind = gone ? <Banner tone="wait" spoken title={t('conflict.no_more')}>{t('conflict.no_more_more')}</Banner> : <Behind error={error} onRetry={reload} />;
  return <Sides conflict={data} text={text} onText={setText} behind={behind} onRead={(next) => setData(() => next)} onAgain={reload} />;
}

interface SidesProps {
  conflict: Conflict;
  /** The third value, as it is typed. */
  text: string;
  onText: (text: string) => void;
  behind: VNode;
  onRead: (conflict: Conflict) => void;
  onAgain: () => void;
}

function Sides({ conflict, text, onText, behind, onRead, onAgain }: SidesProps) {
  const [was, setWas] = useState<Conflict | null>(null);
  const { busy, error, run } = useDoing();
  const act = (edits: Edit[], words: string) => run(async () => {
    try {
      await handIn(edits);
      forgetNames();
      setWas(null);
      if (edits[0]?.reopen === undefined) onText('');
      toast(words);
    } catch (fault) {
      if (!isChanged(fault)) throw fault;
      setWas(conflict);
    }
    await readAnew();
  });
  const readAnew = async () => {
    try {
      onRead(await readConflict({ ...conflict, by: conflict.lost.by, n: conflict.lost.n }));
    } catch (fault) {
      // Its author has written anew meanwhile: it is none any more.
      if (!(fault instanceof ApiError) || fault.code !== 'http.not_found') throw fault;
      onAgain();
    }
  };
  const { coll, field } = conflict;
  return (
    <>
      <PageHead title={fieldTitle(coll, field)} within={within()} about={<>{collTitle(coll)} <RecordLink record={conflict} /> · {!hasOwnScope(conflict) && <><ScopeName id={conflict.scope} /> · </>}{t(`kind_more.${conflict.kind}`)}</>} />
      {behind}
      <Standing conflict={conflict} was={was} mine={text} busy={busy} onReopen={() => act(reopenEdits(conflict), t('conflict.reopened'))} />
      <div class="sides">
        <Side title={t('conflict.shown')} tone="good" author={conflict.winner} conflict={conflict} value={conflict.winner?.deleted === true ? undefined : conflict.winner?.value}>
          {conflict.state === 'open' && <Button kind="primary" busy={busy} onClick={() => act([settleEdit(conflict)], t('conflict.kept'))}>{t('conflict.keep')}</Button>}
        </Side>
        <Side title={t('conflict.lost')} tone="wait" author={conflict.lost} conflict={conflict} value={conflict.value}>
          {conflict.state === 'open' && conflict.merge !== 'quota' && <Button busy={busy} onClick={() => act([settleEdit(conflict, conflict.value)], t('conflict.taken'))}>{t('conflict.take')}</Button>}
        </Side>
      </div>
      <Wrong text={error} />
      {conflict.merge !== 'quota' && (conflict.state === 'open' || was !== null || text !== '') && (
        <Third conflict={conflict} text={text} onText={onText} busy={busy} onWrite={(value) => act([settleEdit(conflict, value)], t('conflict.written_third'))} />
      )}
    </>
  );
}

function Standing({ conflict, was, mine, busy, onReopen }: { conflict: Conflict; was: Conflict | null; mine: string; busy: boolean; onReopen: () => void }) {
  const { coll, field, review, state } = conflict;
  const shown = (one: Conflict) => (one.winner?.deleted === true ? t('conflict.gone') : valueText(coll, field, one.winner?.value));
  const other = was === null ? null : (
    <Banner tone="wait" spoken title={state === 'settled' && review !== undefined ? t('conflict.settled_by', { name: review.name || review.by }) : t('changed.title')}>
      {t(state === 'open' ? 'conflict.changed_more' : 'conflict.settled_more')}
      <FieldDiff label={t('changed.title')} rows={[{ label: fieldTitle(coll, field), before: shown(was), after: shown(conflict), ...(mine !== '' && { mine }) }]} />
    </Banner>
  );
  return (
    <div class="banners">
      {other}
      {state === 'settled' && review !== undefined && (
        <Banner tone="good" title={t('conflict.is_settled')} actions={<Button busy={busy} onClick={onReopen}>{t('conflict.reopen')}</Button>}>
          <Writer device={review.by} name={review.name} /> · <When ms={review.stamp} />
        </Banner>
      )}
      {state === 'agrees' && <Banner tone="good" title={t('conflict.agrees')} />}
      {state === 'open' && review?.settled === false && <Banner tone="plain" title={t('conflict.was_reopened')}><Writer device={review.by} name={review.name} /> · <When ms={review.stamp} /></Banner>}
    </div>
  );
}

interface SideProps {
  title: string;
  tone: 'good' | 'wait';
  author: Author | undefined;
  conflict: Conflict;
  value: Json | undefined;
  children: ComponentChildren;
}

function sawText({ coll, field }: Conflict, { saw }: Author): string {
  if (saw === undefined) return t('saw.too_long');
  if (saw.record !== 'live') return t(`saw.${saw.record}`);
  return saw.value === null ? t('saw.empty') : valueText(coll, field, saw.value);
}

function Side({ title, tone, author, conflict, value, children }: SideProps) {
  const { coll, field } = conflict;
  const deleted = title === t('conflict.shown') && conflict.winner?.deleted === true;
  return (
    <section class="card side-card" aria-label={title}>
      <div class="head-row"><h2>{title}</h2><Tag tone={tone} icon={tone === 'good' ? 'check' : 'note'}>{t(tone === 'good' ? 'conflict.on_show' : 'conflict.lost_tag')}</Tag></div>
      <p class={deleted || value === undefined || value === null ? 'side-value quiet' : 'side-value'}>{deleted ? t('conflict.gone') : value === undefined ? '–' : valueText(coll, field, value)}</p>
      {author !== undefined && (
        <dl class="facts start">
          <dt>{t('conflict.by')}</dt><dd><Writer device={author.by} name={author.name} /> <span class="small quiet num">{t('conflict.op', { n: author.n })}</span></dd>
          <dt>{t('conflict.saw')}</dt><dd>{sawText(conflict, author)}</dd>
          {author.stamp !== undefined && <><dt>{t('conflict.written')}</dt><dd class="num">{absoluteText(author.stamp)}</dd></>}
          {author.wall !== undefined && <><dt>{t('conflict.clock')}</dt><dd class={isOff(author) ? 'num off' : 'num'}>{absoluteText(author.wall)}</dd></>}
          {author.received !== undefined && <><dt>{t('conflict.received')}</dt><dd class="num">{absoluteText(author.received)}</dd></>}
        </dl>
      )}
      <div class="row">{children}</div>
    </section>
  );
}

const OFF_MS = 120_000;

function isOff({ wall, stamp }: Author): boolean {
  return wall !== undefined && stamp !== undefined && Math.abs(wall - stamp) > OFF_MS;
}

function Third({ conflict, text, onText, busy, onWrite }: { conflict: Conflict; text: string; onText: (text: string) => void; busy: boolean; onWrite: (value: Json) => void }) {
  const { coll, field, merge } = conflict;
  const info = fieldOf(coll, field);
  const [tried, setTried] = useState(false);
  if (info === undefined) return null;
  // One value, whatever the field holds many of.
  const wrong = wrongWith(info, text);
  const empty = text.trim() === '';
  const write = () => {
    setTried(true);
    if (wrong === null && !empty) onWrite(textToValue(info, text));
  };
  return (
    <form class="card third" aria-label={t('conflict.third')} onSubmit={(event) => {
      event.preventDefault();
      write();
    }}>
      <h2>{t('conflict.third')}</h2>
      <div class="third-row">
        <FieldInput coll={coll} field={field} label={fieldTitle(coll, field)} value={text} onChange={(next) => onText(next as string)} wrong={tried && wrong !== null ? wrong : undefined} />
        <Button type="submit" busy={busy} off={empty}>{t(conflict.state === 'open' ? 'conflict.third_do' : 'conflict.third_anyway')}</Button>
        {empty && merge === 'register' && conflict.value !== null && <Button kind="bare" onClick={() => onText(valueToText(info, conflict.value))}>{t('conflict.third_from')}</Button>}
      </div>
    </form>
  );
}
