// A device in a WeChat mini-program: wx.request, wx.connectSocket, wx.setStorage.

import { ApiError } from './api';
import { steadyClock } from './clocks';
import { Device } from './device';
import type { DeviceOptions } from './device';
import { hex } from './ids';
import { sha256, toBytes } from './sha256';
import type { Platform, Transport } from './types';
import { WxStorage } from './wx_storage';
import type { KeyStore } from './wx_storage';

interface Failure {
  errMsg: string;
}

/** What of the global `wx` is used. */
export interface Wx {
  request(options: {
    url: string;
    method: 'GET' | 'POST';
    header: Record<string, string>;
    data?: string;
    dataType: '其他';
    responseType: 'text';
    timeout: number;
    success: (answer: { statusCode: number; header: Record<string, any>; data: any }) => void;
    fail: (failure: Failure) => void;
  }): unknown;
  connectSocket(options: { url: string; timeout: number; fail: (failure: Failure) => void }): {
    onOpen(listener: () => void): void;
    onMessage(listener: (message: { data: string | ArrayBuffer }) => void): void;
    onClose(listener: (close: { code: number }) => void): void;
    onError(listener: (failure: Failure) => void): void;
    send(options: { data: string }): void;
    close(options: { code: number }): void;
  };
  setStorage(options: { key: string; data: string; success: () => void; fail: (failure: Failure) => void }): unknown;
  getStorage(options: { key: string; success: (result: { data: any }) => void; fail: (failure: Failure) => void }): unknown;
  removeStorage(options: { key: string; success: () => void; fail: (failure: Failure) => void }): unknown;
  getStorageInfo(options: { success: (info: { keys: string[] }) => void; fail: (failure: Failure) => void }): unknown;
  getRandomValues(options: { length: number; success: (result: { randomValues: ArrayBuffer }) => void; fail: (failure: Failure) => void }): unknown;
  onNetworkStatusChange(listener: (status: { isConnected: boolean }) => void): void;
}

const CONNECT_TIMEOUT_MS = 30_000;

function transportOf(wx: Wx): Transport {
  return {
    request: (method, url, { headers = {}, body, timeoutMs }) => new Promise((resolve, reject) => wx.request({
      url, method: method as 'GET' | 'POST', header: headers, data: body, dataType: '其他', responseType: 'text', timeout: timeoutMs,
      success: ({ statusCode, header, data }) => resolve({
        status: statusCode,
        headers: (name) => headerOf(header, name),
        text: typeof data === 'string' ? data : JSON.stringify(data),
      }),
      fail: ({ errMsg }) => reject(new Error(errMsg)),
    })),

    connect(url, { onOpen, onMessage, onClose }) {
      let isClosed = false;
      const close = (code: number) => {
        if (isClosed) return;
        isClosed = true;
        onClose(code);
      };
      const task = wx.connectSocket({ url, timeout: CONNECT_TIMEOUT_MS, fail: () => close(1006) });
      task.onOpen(() => !isClosed && onOpen());
      task.onMessage(({ data }) => typeof data === 'string' && !isClosed && onMessage(data));
      task.onClose(({ code }) => close(code));
      task.onError(() => close(1006));
      return {
        send: (text) => task.send({ data: text }),
        close: () => {
          task.close({ code: 1000 });
          close(1006);
        },
      };
    },
  };
}

// Their spelling differs between phones.
function headerOf(header: Record<string, any>, name: string): string | null {
  const found = Object.keys(header).find((key) => key.toLowerCase() === name.toLowerCase());
  return found === undefined ? null : String(header[found]);
}

function keyStoreOf(wx: Wx): KeyStore {
  const failure = ({ errMsg }: Failure) => (/exceed|limit|quota|full|space/i.test(errMsg) ? new ApiError('storage.full', errMsg) : new Error(errMsg));
  return {
    set: (key, data) => new Promise((resolve, reject) => wx.setStorage({ key, data, success: () => resolve(), fail: (why) => reject(failure(why)) })),
    // What is not there fails too.
    get: (key) => new Promise((resolve, reject) => wx.getStorage({
      key, success: ({ data }) => resolve(data as string), fail: (why) => (/not found/i.test(why.errMsg) ? resolve(undefined) : reject(failure(why))),
    })),
    remove: (key) => new Promise((resolve, reject) => wx.removeStorage({ key, success: () => resolve(), fail: (why) => reject(failure(why)) })),
    keys: () => new Promise((resolve, reject) => wx.getStorageInfo({ success: ({ keys }) => resolve(keys), fail: (why) => reject(failure(why)) })),
  };
}

// The platform gives random bytes by callback alone: they are the seed of a row of hashes.
async function randomOf(wx: Wx): Promise<(count: number) => Uint8Array> {
  const seed = await new Promise<ArrayBuffer>((resolve, reject) => wx.getRandomValues({
    length: 32, success: ({ randomValues }) => resolve(randomValues), fail: ({ errMsg }) => reject(new Error(errMsg)),
  }));
  const block = new Uint8Array(36);
  block.set(new Uint8Array(seed));
  const counter = new DataView(block.buffer);
  let made = 0;
  return (count) => {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at += 32) {
      counter.setUint32(32, made++);
      bytes.set(toBytes(sha256(block)).subarray(0, Math.min(32, count - at)), at);
    }
    return bytes;
  };
}

// There is no clock but the calendar's: it stands for the other too, and is another boot when it was set back.
function wallAlone(now: () => number): { wall: () => number; mono: () => number } {
  let last = now();
  let lost = 0;
  return { wall: now, mono: () => {
    const wall = now();
    if (wall < last) lost += last - wall;
    last = wall;
    return wall + lost;
  } };
}

/** `name`: of its keys in the storage; several devices in one mini-program need one each. */
export async function wxPlatform(wx: Wx, name = 'waystation'): Promise<Platform> {
  const random = await randomOf(wx);
  const { wall, mono } = wallAlone(Date.now);
  return { storage: await WxStorage.open(keyStoreOf(wx), name), transport: transportOf(wx),
           clock: steadyClock(wall, mono, () => hex(random(8))), random };
}

export async function openWxDevice(wx: Wx, options: DeviceOptions & { name?: string } = {}): Promise<Device> {
  const device = await Device.open(await wxPlatform(wx, options.name), options);
  wx.onNetworkStatusChange(({ isConnected }) => (isConnected ? device.hurry() : device.breakOff()));
  return device;
}
