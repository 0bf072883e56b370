/** Something the person at the keyboard can put right; shown as one line. */
export class DemoError extends Error {}
