// `wx` as the public typings and the documentation have it, as far as wx.ts uses it: 1 MB a key, 10 MB in all,
// everything by callbacks. It can end at any storage call, like a mini-program that is swiped away.

import { randomBytes } from 'node:crypto';
import WebSocket from 'ws';
import type { Wx } from '../wx';

const MOST_IN_A_KEY = 1024 * 1024;

export class FakeWx implements Wx {
  readonly stored: Map<string, string>;
  readonly mostInAll: number;
  /** Asked at each call that changes the storage: whether the program ends there, before or behind it. */
  fate: () => 'lives' | 'dies before' | 'dies behind' = () => 'lives';
  onDeath: () => void = () => {};
  changes = 0;
  #isDead = false;

  constructor(stored = new Map<string, string>(), mostInAll = 10 * 1024 * 1024) {
    this.stored = stored;
    this.mostInAll = mostInAll;
  }

  get size(): number {
    let size = 0;
    for (const [key, text] of this.stored) size += Buffer.byteLength(key) + Buffer.byteLength(text);
    return size;
  }

  /** The program is gone: what it had begun changes nothing any more. */
  end(): void {
    this.#isDead = true;
  }

  #later(task: () => void): void {
    if (!this.#isDead) setTimeout(() => !this.#isDead && task(), 0);
  }

  #change(happen: () => void, told: () => void): void {
    if (this.#isDead) return;
    this.changes += 1;
    const fate = this.fate();
    if (fate !== 'dies before') happen();
    if (fate === 'lives') return this.#later(told);
    this.#isDead = true;
    this.onDeath();
  }

  setStorage({ key, data, success, fail }: Parameters<Wx['setStorage']>[0]): void {
    const grown = this.size - Buffer.byteLength(this.stored.get(key) ?? '') + Buffer.byteLength(data);
    if (Buffer.byteLength(data) > MOST_IN_A_KEY) return this.#later(() => fail({ errMsg: 'setStorage:fail entry size limit reached' }));
    if (grown > this.mostInAll) return this.#later(() => fail({ errMsg: 'setStorage:fail exceed storage max size' }));
    this.#change(() => this.stored.set(key, data), success);
  }

  getStorage({ key, success, fail }: Parameters<Wx['getStorage']>[0]): void {
    const data = this.stored.get(key);
    this.#later(() => (data === undefined ? fail({ errMsg: 'getStorage:fail data not found' }) : success({ data })));
  }

  removeStorage({ key, success }: Parameters<Wx['removeStorage']>[0]): void {
    this.#change(() => this.stored.delete(key), success);
  }

  getStorageInfo({ success }: Parameters<Wx['getStorageInfo']>[0]): void {
    this.#later(() => success({ keys: [...this.stored.keys()] }));
  }

  getRandomValues({ length, success }: Parameters<Wx['getRandomValues']>[0]): void {
    this.#later(() => success({ randomValues: new Uint8Array(randomBytes(length)).buffer }));
  }

  onNetworkStatusChange(): void {}

  request({ url, method, header, data, timeout, success, fail }: Parameters<Wx['request']>[0]): void {
    fetch(url, { method, headers: header, body: data, signal: AbortSignal.timeout(timeout) })
      .then(async (answer) => ({ statusCode: answer.status, header: Object.fromEntries(answer.headers), data: await answer.text() }))
      .then((answer) => this.#later(() => success(answer)), () => this.#later(() => fail({ errMsg: 'request:fail' })));
  }

  connectSocket({ url }: Parameters<Wx['connectSocket']>[0]): ReturnType<Wx['connectSocket']> {
    const socket = new WebSocket(url);
    return {
      onOpen: (listener) => void socket.on('open', () => this.#later(listener)),
      onMessage: (listener) => void socket.on('message', (data) => this.#later(() => listener({ data: String(data) }))),
      onClose: (listener) => void socket.on('close', (code) => this.#later(() => listener({ code }))),
      onError: (listener) => void socket.on('error', () => this.#later(() => listener({ errMsg: 'error' }))),
      send: ({ data }) => socket.send(data),
      close: () => socket.terminate(),
    };
  }
}
