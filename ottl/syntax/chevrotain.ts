/**
 * The door to chevrotain. The package's name leads to 694 modules (lodash among them), which take 17 to 30 MB and most of a second to load. The same code
 * lies beside them in one file, which takes 4 MB and 30 ms but has no name of its own: it is found from where the entry is.
 */
import type * as Chevrotain from 'chevrotain';

export type { IParserErrorMessageProvider, IToken, TokenType } from 'chevrotain';

const bundle = new URL('../chevrotain.mjs', import.meta.resolve('chevrotain'));
export const { createToken, EmbeddedActionsParser, Lexer, tokenLabel } = (await import(bundle.href)) as typeof Chevrotain;
