/**
 * Makes structured clone refuse an object that belongs to its thread, in every way of sending it: `postMessage`,
 * `workerData`, `structuredClone`, `v8.serialize`.
 *
 * Structured clone drops the class of an object and copies its enumerable properties, so that a worker would get an object
 * without methods. A symbol cannot be cloned, and the message of the DataCloneError shows its description. So the object
 * gets a symbol as a property, which unlike a getter that throws disturbs nothing else that looks at an object: copies by
 * spreading, comparisons of test runners, JSON.
 *
 * @param advice what to send instead
 */
export function refuseCloning(object: object, advice: symbol): void {
  Object.defineProperty(object, 'notCloneable', { value: advice, enumerable: true })
}
