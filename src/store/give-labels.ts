import { RESULT_GIVEN_LABELS, RESULT_LABELS, type Engine } from '../engine/engine.js'
import type { Labels } from '../format/labels.js'
import { LABEL_WORDS } from '../format/layout.js'

/** Gives the next entry that the engine writes its labels. Called directly before every write of an entry. */
export function giveLabels({ result }: Engine, labels: Labels | undefined): void {
  result[RESULT_GIVEN_LABELS] = labels === undefined ? 0 : labels.length / LABEL_WORDS
  if (labels !== undefined) result.set(labels, RESULT_LABELS)
}
