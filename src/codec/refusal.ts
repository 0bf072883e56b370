import { Blob } from 'node:buffer'
import { types } from 'node:util'
import { BroadcastChannel, MessagePort } from 'node:worker_threads'

/** Why `object`, which is no plain object or array, cannot be stored; undefined if it can. Completes "value is ...". */
export function refusal(object: object): string | undefined {
  if (types.isProxy(object)) return 'a Proxy'
  if (types.isPromise(object)) return 'a Promise'
  if (types.isWeakMap(object)) return 'a WeakMap'
  if (types.isWeakSet(object)) return 'a WeakSet'
  if (object instanceof WeakRef) return 'a WeakRef'
  if (object instanceof FinalizationRegistry) return 'a FinalizationRegistry'
  if (types.isSharedArrayBuffer(object)) return 'a SharedArrayBuffer'
  if (types.isGeneratorObject(object)) return 'a generator'
  if (types.isMapIterator(object) || types.isSetIterator(object)) return 'an iterator'
  if (types.isModuleNamespaceObject(object)) return 'a module namespace'
  if (types.isSymbolObject(object)) return 'a symbol object'
  return hostRefusal(object)
}

/** Objects of the host keep their state outside JavaScript, where no copy of their properties would find it. */
function hostRefusal(object: object): string | undefined {
  if (object instanceof MessagePort) return 'a MessagePort'
  if (object instanceof BroadcastChannel) return 'a BroadcastChannel'
  if (object instanceof Blob) return 'a Blob'
  if (types.isKeyObject(object)) return 'a KeyObject'
  if (types.isCryptoKey(object)) return 'a CryptoKey'
  if (types.isExternal(object)) return 'a host object'
  return undefined
}
