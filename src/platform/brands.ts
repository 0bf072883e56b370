/** What kind of object something really is, whatever realm it comes from and whatever its prototype says. */
import { types } from 'node:util'

export const { isNativeError, isSharedArrayBuffer, isUint8Array } = types
