import { functionBehind, functionGiven, nodesRunBy } from '../functions.js'
import { defineRule } from '../rule.js'

/** What throws ERR_MAPSAFE_REENTRANT inside a function that decides on a write. */
const FORBIDDEN = [
  'set setIfAbsent setIfVersion replace compareAndSwap swap update delete deleteIfVersion compareAndDelete deleteWhere',
  'take increment incrementEntry setMany deleteMany clear touch snapshot repair',
].flatMap((names) => names.split(' '))

/** A write to the map from inside a function that decides on a write to the same map. */
export const noWriteInUpdater = defineRule(
  {
    name: 'no-write-in-updater',
    description: 'Forbid writes to a map from inside a function that decides on one of its writes',
    messages: {
      write:
        '`{{method}}` throws ERR_MAPSAFE_REENTRANT here: a function that `{{outer}}` calls must not write to the map. Return what is to be stored, and write after the call.',
    },
  },
  (context, maps) => ({
    CallExpression(node) {
      const outer = maps.call(node, 'update', 'deleteWhere')
      const called = outer && functionBehind(maps.scopes, functionGiven(outer))
      if (outer === undefined || called === undefined) return
      for (const each of nodesRunBy(called, context.sourceCode.visitorKeys)) {
        const inner = each.type === 'CallExpression' ? maps.call(each, ...FORBIDDEN) : undefined
        if (inner === undefined || !maps.onSameMap(outer, inner)) continue
        context.report({ node: each, messageId: 'write', data: { method: inner.method, outer: outer.method } })
      }
    },
  }),
)
