// The pages' languages. Every sentence stands in messages/zh.ts and messages/en.ts under the same key; what
// only one application says stands in catalogues of its own, which that application adds (office_zh.ts).

import { en } from '../messages/en';
import { zh } from '../messages/zh';

export type Lang = 'zh' | 'en';
export type MessageKey = keyof typeof zh;
export type Params = Record<string, string | number>;

/** A text in both languages, as schemas hold them. */
export interface Title {
  zh: string;
  en: string;
}

const STORED = 'waystation.lang';
const catalogues: Record<Lang, Record<string, string>> = { zh, en };
const listeners = new Set<() => void>();
let lang: Lang = 'zh';

/** Puts numbers and names into a sentence: `{n}` is replaced, `{n|edit|edits}` chooses by number. */
export function fill(sentence: string, params: Params): string {
  return sentence.replace(/\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const value = params[name];
    if (value === undefined) return whole;
    return one === undefined || many === undefined ? String(value) : Number(value) === 1 ? one : many;
  });
}

/** Adds the sentences of one application to those that all share. */
export function addMessages(more: Record<Lang, Record<string, string>>): void {
  for (const each of ['zh', 'en'] as const) catalogues[each] = { ...catalogues[each], ...more[each] };
}

/** As `t`, for an application that has added sentences: it knows its keys. */
export function sentence(key: string, params: Params = {}): string {
  return fill(catalogues[lang][key] ?? key, params);
}

export function t(key: MessageKey, params: Params = {}): string {
  return sentence(key, params);
}

/** Whether a sentence of this name exists: for keys made of codes that come from elsewhere. */
export function hasMessage(key: string): key is MessageKey {
  return Object.hasOwn(catalogues.zh, key);
}

export function titled(title: Title): string {
  return title[lang];
}

export function currentLang(): Lang {
  return lang;
}

export function setLang(next: Lang): void {
  lang = next;
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // A browser without storage for pages still shows the language chosen now.
  }
  for (const listener of listeners) listener();
}

/** Takes up the language chosen earlier. */
export function startLang(): void {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(STORED);
  } catch {
    // As above.
  }
  setLang(stored === 'en' ? 'en' : 'zh');
}

export function onLang(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
