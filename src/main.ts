/**
 * The program: argv to one command of src/cli. Engine flags come before anything else is loaded, hence the imports inside: Maglev, a compiler
 * tier of V8, has crashed on Node 24 (nodejs/node#64841).
 */
import v8 from 'node:v8';

v8.setFlagsFromString('--no-maglev');
const { runCommandLine } = await import('#src/cli/command_line.ts');
const { catalog } = await import('#src/components.ts');
await runCommandLine(process.argv, catalog);
