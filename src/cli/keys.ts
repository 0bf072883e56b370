import type { Key } from '../index.js'
import { WrongCall, type Given, type Option } from './command.js'

const TYPES = ['string', 'number', 'bigint', 'boolean', 'bytes']

export const KEY_OPTION: Readonly<Record<string, Option>> = {
  type: {
    type: 'string',
    short: 't',
    value: 'TYPE',
    help: `type of the key: ${TYPES.join(', ')} (in hexadecimal). Default: string`,
  },
}

/** Reads a key of the command line. */
export function readKey(text: string, { options }: Given): Key {
  const { type = 'string' } = options
  const refuse = (expected: string): never => {
    throw new WrongCall(`The key is ${JSON.stringify(text)}; expected ${expected}.`)
  }
  switch (type) {
    case 'string':
      return text
    case 'number':
      if (text === 'NaN') return NaN
      return text.trim() === '' || Number.isNaN(Number(text)) ? refuse('a number') : Number(text)
    case 'bigint':
      return /^-?\d+n?$/.test(text) ? BigInt(text.replace('n', '')) : refuse('a whole number')
    case 'boolean':
      return text === 'true' || (text !== 'false' && refuse('true or false'))
    case 'bytes':
      return /^(?:[\da-f]{2})*$/i.test(text)
        ? new Uint8Array(Buffer.from(text, 'hex'))
        : refuse('pairs of hexadecimal digits')
    default:
      throw new WrongCall(`Option --type is ${JSON.stringify(type)}; expected ${TYPES.join(', ')}.`)
  }
}
