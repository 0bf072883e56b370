/** A wrong argument, told to the user in one line. */
export class BenchError extends Error {}
