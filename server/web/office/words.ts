// The office's sentences: its own catalogues beside those that all pages share.

import { en as officeEn } from '../messages/office_en';
import { zh as officeZh } from '../messages/office_zh';
import { addMessages, hasMessage, sentence, type MessageKey, type Params } from '../ui/i18n';

export type OfficeKey = keyof typeof officeZh | MessageKey;

addMessages({ zh: officeZh, en: officeEn });

export const t = sentence as (key: OfficeKey, params?: Params) => string;

/** As hasMessage, for keys made of codes and names that come from elsewhere. */
export const hasSentence = hasMessage as (key: string) => key is OfficeKey;
