// Compiled alone, against the public typings of the mini-program API: what wx.ts asks for is there.

import { openWxDevice } from '../wx';
import type { Wx } from '../wx';

export const whole: Wx = wx;
export const device = openWxDevice(wx);
