// One exchange over HTTP: hands in all that waits and takes in all there is.

import { ApiError } from './api';
import { busyMs, pauseMs } from './backoff';
import type { Pauses } from './backoff';
import type { Exchange, ServerFrame } from './exchange';
import { Busy, NoAnswer } from './http';
import type { Http } from './http';

const ATTEMPTS = 3;

export interface SyncOptions {
  exchange: Exchange;
  http: Http;
  /** Null where there is no identity any more, or a final error has come. */
  address: () => string | null;
  pauses: Pauses;
  chance: () => number;
}

/** Rejects with why it could not be done. Nothing is pushed before the welcome has said which numbers are free:
 *  this storage may be an older copy of itself. */
export async function syncOverHttp(options: SyncOptions): Promise<void> {
  const { exchange } = options;
  await untilAnswered(options, () => exchangeOnce(options, {}));
  for (let isDone = false; !isDone && options.address() !== null; ) {
    isDone = await untilAnswered(options, async () => {
      const wiped = await exchange.wiped();
      if (wiped !== null) return isTold(await exchangeOnce(options, { wiped }));
      const ops = await exchange.batch();
      const reply = await exchangeOnce(options, { ...(ops.length > 0 && { push: { ops } }), pull: exchange.pull() });
      return reply.isComplete && !exchange.isWaiting && !exchange.isToWipe;
    });
  }
}

function isTold({ reply }: Outcome): boolean {
  return reply.wiped !== undefined;
}

interface Outcome {
  reply: ServerFrame;
  isComplete: boolean;
}

async function exchangeOnce({ exchange, http, address }: SyncOptions, messages: object): Promise<Outcome> {
  const server = address();
  if (server === null) throw new ApiError('auth.required');
  const frame = { hello: exchange.hello(), ...messages };
  const reply = await http.post<ServerFrame>(server, '/v1/sync', frame, { isAnswer: holdsReplies }).catch(async (error: unknown) => {
    // A frame of which nothing was handled comes back as a plain problem.
    if (error instanceof ApiError && !(error instanceof NoAnswer || error instanceof Busy) && error.status < 500) {
      return { error: { code: error.code, detail: error.detail } };
    }
    throw error;
  });
  return { reply, isComplete: await take(exchange, reply) };
}

// A reply may hold some answers and then an error: what was answered is taken in before the error is acted upon,
// or a stale cursor would hold up the receipts for ever.
async function take(exchange: Exchange, reply: ServerFrame): Promise<boolean> {
  if (reply.wiped) await exchange.takeWiped();
  if (reply.wiped) return true;
  if (reply.welcome) await exchange.takeWelcome(reply.welcome);
  if (reply.wipe) await exchange.takeWipe(reply.wipe);
  if (reply.receipt) await exchange.takeReceipt(reply.receipt);
  const again = reply.changes ? await exchange.takeChanges(reply.changes, { asked: true }) : false;
  if (reply.busy) throw new Busy(reply.busy.retry_after_ms);
  if (reply.error && !(await exchange.takeError(reply.error)) && !reply.wipe) throw new ApiError(reply.error.code, reply.error.detail);
  return !again && reply.changes?.more === false;
}

function holdsReplies(reply: object): boolean {
  return ['welcome', 'wipe', 'wiped', 'receipt', 'changes', 'busy', 'error'].some((key) => key in reply);
}

// If the answer does not come, the same again: nothing is ever applied twice.
async function untilAnswered<T>({ pauses, chance }: SyncOptions, send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      const isWorthAnotherTry = error instanceof Busy || error instanceof NoAnswer;
      if (!isWorthAnotherTry || attempt >= ATTEMPTS) throw error;
      const ms = error instanceof Busy ? busyMs(error.retryAfterMs, chance()) : pauseMs(attempt, pauses, chance());
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }
}
