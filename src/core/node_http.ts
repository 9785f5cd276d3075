/**
 * Node's HTTP servers, not by `import`: importing node:http reads every getter of it, one of which loads all of Node's own fetch, 60 ms and
 * 8 MB that nobody here uses.
 */
export const { createServer } = process.getBuiltinModule('node:http');
export const { createServer: createTlsServer } = process.getBuiltinModule('node:https');
