/**
 * The grammar of OTTL (contrib's GRAMMAR), parsed by chevrotain into the tree of ast.ts. Where the language needs more than a few tokens of
 * look-ahead (a parenthesis may hold mathematics or a condition, a name may be a path or a call) the parser looks behind the matching
 * parenthesis; it never backtracks. Lambdas are refused: upstream has them behind a feature gate that is off. No types and no names here.
 */
import { EmbeddedActionsParser, type IParserErrorMessageProvider, type IToken, Lexer, type TokenType, tokenLabel } from './chevrotain.ts';
import type { Argument, Call, CompareOp, Condition, Expression, Key, Path, Segment, Statement } from './ast.ts';
import { SyntaxFault } from './error.ts';
import * as t from './tokens.ts';

/** A statement longer than this is nobody's intention. */
const MAX_TEXT = 256 << 10;
/** Deeper nesting of parentheses, brackets and calls is refused, so that nobody overflows the stack. */
const MAX_DEPTH = 100;

const lexer = new Lexer(t.allTokens, { positionTracking: 'onlyOffset' });

const found = (token: IToken): string => (token.tokenType.name === 'EOF' ? 'end of text' : JSON.stringify(token.image).replaceAll('\\\\', '\\'));
const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, actual }) => `unexpected ${found(actual)}, expected ${tokenLabel(expected)}`,
  buildNotAllInputParsedMessage: ({ firstRedundant }) => `unexpected ${found(firstRedundant)}, expected the end`,
  buildNoViableAltMessage: ({ actual, expectedPathsPerAlt }) => `unexpected ${found(actual[0]!)}, expected ${firstTokens(expectedPathsPerAlt.flat())}`,
  buildEarlyExitMessage: ({ actual, expectedIterationPaths }) => `unexpected ${found(actual[0]!)}, expected ${firstTokens(expectedIterationPaths)}`,
};
function firstTokens(paths: readonly (readonly TokenType[])[]): string {
  const labels = [...new Set(paths.filter((path) => path.length > 0).map((path) => tokenLabel(path[0]!)))];
  return labels.length > 6 ? 'a value' : labels.join(', ');
}

class OttlParser extends EmbeddedActionsParser {
  constructor() {
    super(t.allTokens, { maxLookahead: 2, errorMessageProvider: messages, recoveryEnabled: false });
    this.performSelfAnalysis();
  }

  readonly statement = this.RULE('statement', (): Statement => {
    const start = this.LA(1);
    const editor = this.SUBRULE(this.call);
    this.ACTION(() => {
      if (!/^[a-z]/.test(editor.name)) throw new SyntaxFault(`editor names must start with a lowercase letter but got '${editor.name}'`, start.startOffset);
      if (editor.keys.length > 0) throw new SyntaxFault(`only paths and converters may be indexed, not editors, but got ${editor.name}[...]`, editor.start);
    });
    const where = this.OPTION(() => {
      this.CONSUME(t.Where);
      return this.SUBRULE(this.condition);
    });
    return { editor, where };
  });

  readonly condition = this.RULE('condition', (): Condition => {
    const terms = [this.SUBRULE(this.conjunction)];
    this.MANY(() => {
      this.CONSUME(t.Or);
      terms.push(this.SUBRULE2(this.conjunction));
    });
    return terms.length === 1 ? terms[0]! : { kind: 'or', terms, start: terms[0]!.start, end: terms.at(-1)!.end };
  });
  readonly conjunction = this.RULE('conjunction', (): Condition => {
    const terms = [this.SUBRULE(this.predicate)];
    this.MANY(() => {
      this.CONSUME(t.And);
      terms.push(this.SUBRULE2(this.predicate));
    });
    return terms.length === 1 ? terms[0]! : { kind: 'and', terms, start: terms[0]!.start, end: terms.at(-1)!.end };
  });
  readonly predicate = this.RULE('predicate', (): Condition => {
    const not = this.OPTION(() => this.CONSUME(t.Not));
    const inner = this.OR<Condition>([
      {
        GATE: () => this.#opensCondition(),
        ALT: () => {
          this.CONSUME(t.LParen);
          const condition = this.SUBRULE(this.condition);
          this.CONSUME(t.RParen);
          return condition;
        },
      },
      { ALT: () => this.SUBRULE(this.comparison), IGNORE_AMBIGUITIES: true },
    ]);
    return not ? { kind: 'not', term: inner, start: not.startOffset, end: inner?.end } : inner;
  });
  /** A comparison, or a converter or constant that stands alone. */
  readonly comparison = this.RULE('comparison', (): Condition => {
    const left = this.SUBRULE(this.expression);
    const rest = this.OPTION(() => {
      const op = this.CONSUME(t.Comparison).image as CompareOp;
      return { op, right: this.SUBRULE2(this.expression) };
    });
    return this.ACTION((): Condition => {
      if (rest) return { kind: 'compare', op: rest.op, left, right: rest.right, start: left.start, end: rest.right.end };
      if (left.kind === 'bool') return { kind: 'constant', value: left.value, start: left.start, end: left.end };
      if (left.kind === 'call' && /^[A-Z]/.test(left.name)) return { kind: 'converter', call: left, start: left.start, end: left.end };
      throw new SyntaxFault(`unexpected ${found(this.LA(1))}, expected a comparison (== != < <= > >=)`, this.#here());
    }) as Condition;
  });

  readonly expression = this.RULE('expression', (): Expression => {
    let left = this.SUBRULE(this.product);
    this.MANY(() => {
      const op = this.CONSUME(t.AddSub);
      const right = this.SUBRULE2(this.product);
      left = this.ACTION(() => this.#math(op, left, right)) as Expression;
    });
    return left;
  });
  readonly product = this.RULE('product', (): Expression => {
    let left = this.SUBRULE(this.factor);
    this.MANY(() => {
      const op = this.CONSUME(t.MultDiv);
      const right = this.SUBRULE2(this.factor);
      left = this.ACTION(() => this.#math(op, left, right)) as Expression;
    });
    return left;
  });
  readonly factor = this.RULE('factor', (): Expression => {
    const sign = this.OPTION(() => this.CONSUME(t.AddSub));
    const operand = this.OR<Expression>([
      {
        ALT: () => {
          this.ACTION(() => this.#refuseLambda());
          this.CONSUME(t.LParen);
          const inner = this.SUBRULE(this.expression);
          this.CONSUME(t.RParen);
          return this.ACTION(() => this.#mathOperand(inner)) as Expression;
        },
      },
      { ALT: () => this.SUBRULE(this.primary) },
    ]);
    return this.ACTION((): Expression => {
      if (!sign) return operand;
      this.#mathOperand(operand);
      if (sign.image === '+') return operand;
      if (operand.kind === 'int') return { ...operand, value: -operand.value, start: sign.startOffset, computed: true };
      if (operand.kind === 'float') return { ...operand, value: -operand.value, start: sign.startOffset, computed: true };
      return { kind: 'negate', operand, start: sign.startOffset, end: operand.end };
    }) as Expression;
  });
  readonly primary = this.RULE(
    'primary',
    (): Expression =>
      this.OR<Expression>([
        { ALT: () => this.#leaf(this.CONSUME(t.Nil), () => ({ kind: 'nil' })) },
        { ALT: () => this.#leaf(this.CONSUME(t.Float), (image) => ({ kind: 'float', value: Number(image) })) },
        { ALT: () => this.#leaf(this.CONSUME(t.Int), (image, at) => ({ kind: 'int', value: t.intLiteral(image, at) })) },
        { ALT: () => this.#leaf(this.CONSUME(t.Text), (image, at) => ({ kind: 'string', value: t.unquote(image, at) })) },
        { ALT: () => this.#leaf(this.CONSUME(t.Bool), (image) => ({ kind: 'bool', value: image === 'true' })) },
        { ALT: () => this.#leaf(this.CONSUME(t.Bytes), bytesLiteral) },
        { ALT: () => this.SUBRULE(this.list) },
        { ALT: () => this.SUBRULE(this.map) },
        { GATE: () => this.#isCall(), ALT: () => this.SUBRULE(this.call) },
        { ALT: () => this.SUBRULE(this.path), IGNORE_AMBIGUITIES: true },
        { ALT: () => this.SUBRULE(this.symbol), IGNORE_AMBIGUITIES: true },
      ]),
  );
  /** An enum, or the name of a function. */
  readonly symbol = this.RULE('symbol', (): Expression => {
    const first = this.CONSUME(t.Upper);
    let name = first.image;
    let mixed = false;
    this.MANY(() => {
      const next = this.OR([{ ALT: () => this.CONSUME2(t.Upper) }, { ALT: () => this.CONSUME(t.Lower) }]);
      name += next.image;
      mixed = true;
    });
    return this.ACTION(() => ({ kind: mixed ? 'functionName' : 'enum', name, start: first.startOffset, end: first.startOffset + name.length })) as Expression;
  });
  readonly list = this.RULE('list', (): Expression => {
    const open = this.CONSUME(t.LBracket);
    const items: Expression[] = [];
    // As in the Collector: the commas begin where they like, but from there on each item has one before it.
    this.MANY(() => items.push(this.SUBRULE(this.expression)));
    this.MANY2(() => {
      this.CONSUME(t.Comma);
      items.push(this.SUBRULE2(this.expression));
    });
    const close = this.CONSUME(t.RBracket);
    return { kind: 'list', items, start: open.startOffset, end: close.startOffset + 1 };
  });
  readonly map = this.RULE('map', (): Expression => {
    const open = this.CONSUME(t.LBrace);
    const entries: [string, Expression][] = [];
    this.MANY(() => {
      const key = this.CONSUME(t.Text);
      this.CONSUME(t.Colon);
      const value = this.SUBRULE(this.expression);
      this.OPTION(() => this.CONSUME(t.Comma));
      this.ACTION(() => entries.push([t.unquote(key.image, key.startOffset), value]));
    });
    const close = this.CONSUME(t.RBrace);
    return { kind: 'map', entries, start: open.startOffset, end: close.startOffset + 1 };
  });
  readonly path = this.RULE('path', (): Path => {
    const start = this.LA(1).startOffset;
    const segments: Segment[] = [];
    this.AT_LEAST_ONE_SEP({
      SEP: t.Dot,
      DEF: () => {
        const name = this.OR([{ ALT: () => this.CONSUME(t.Lower) }, { ALT: () => this.CONSUME(t.Where) }]).image;
        segments.push({ name, keys: this.SUBRULE(this.keys) });
      },
    });
    const last = this.LA(0);
    return { kind: 'path', segments, start, end: (last.endOffset ?? last.startOffset) + 1 };
  });
  readonly call = this.RULE('call', (): Call => {
    const start = this.LA(1).startOffset;
    let name = '';
    this.AT_LEAST_ONE(() => {
      name += this.OR([{ ALT: () => this.CONSUME(t.Upper) }, { ALT: () => this.CONSUME(t.Lower) }]).image;
    });
    this.CONSUME(t.LParen);
    const args: Argument[] = [];
    this.MANY_SEP({ SEP: t.Comma, DEF: () => args.push(this.SUBRULE(this.argument)) });
    this.CONSUME(t.RParen);
    const keys = this.SUBRULE(this.keys);
    const last = this.LA(0);
    return { kind: 'call', name, args, keys, start, end: (last.endOffset ?? last.startOffset) + 1 };
  });
  readonly argument = this.RULE('argument', (): Argument => {
    const name = this.OPTION({
      GATE: () => this.#isNamed(),
      DEF: () => {
        let text = this.CONSUME(t.Lower).image;
        this.MANY(() => {
          text += this.OR([{ ALT: () => this.CONSUME(t.Upper) }, { ALT: () => this.CONSUME2(t.Lower) }]).image;
        });
        this.CONSUME(t.Equal);
        return text;
      },
    });
    return { name, value: this.SUBRULE(this.expression) };
  });
  readonly keys = this.RULE('keys', (): Key[] => {
    const keys: Key[] = [];
    this.MANY(() => {
      this.CONSUME(t.LBracket);
      const value = this.SUBRULE(this.expression);
      this.CONSUME(t.RBracket);
      this.ACTION(() => keys.push(this.#key(value)));
    });
    return keys;
  });

  #key(value: Expression): Key {
    if (value.kind === 'string') return { kind: 'string', value: value.value };
    if (value.kind === 'int') return { kind: 'int', value: value.value };
    if (value.kind === 'path' || value.kind === 'call' || value.kind === 'math' || value.kind === 'negate' || value.kind === 'float')
      return { kind: 'expression', value };
    throw new SyntaxFault('a key must be a string, an int, a path, a converter or mathematics', value.start);
  }
  #math(op: IToken, left: Expression, right: Expression): Expression {
    this.#mathOperand(left, op);
    this.#mathOperand(right);
    return { kind: 'math', op: op.image as '+', left, right, start: left.start, end: right.end };
  }
  #mathOperand(operand: Expression, op?: IToken): Expression {
    switch (operand.kind) {
      case 'int':
      case 'float':
      case 'path':
      case 'call':
      case 'math':
      case 'negate':
        return operand;
    }
    throw new SyntaxFault(
      op ? `unexpected "${op.image}": a ${operand.kind} has no mathematics` : `a ${operand.kind} has no mathematics`,
      op?.startOffset ?? operand.start,
    );
  }
  #leaf(token: IToken, make: (image: string, at: number) => Record<string, unknown>): Expression {
    return this.ACTION(() => ({
      ...make(token.image, token.startOffset),
      start: token.startOffset,
      end: token.startOffset + token.image.length,
    })) as unknown as Expression;
  }
  #here(): number {
    const next = this.LA(1);
    const last = this.LA(0);
    return next.tokenType.name === 'EOF' ? (last.endOffset ?? 0) + 1 : next.startOffset;
  }
  /** How many tokens ahead the parenthesis that opens `from` tokens ahead is closed. */
  #closing(from: number): number {
    let depth = 0;
    for (let k = from; ; k++) {
      const type = this.LA(k).tokenType;
      if (type === t.LParen) depth++;
      else if (type === t.RParen && --depth === 0) return k;
      else if (type.name === 'EOF') return k;
    }
  }
  #opensCondition(): boolean {
    if (this.LA(1).tokenType !== t.LParen) return false;
    const next = this.LA(this.#closing(1) + 1).tokenType;
    return next !== t.Comparison && next !== t.AddSub && next !== t.MultDiv;
  }
  #refuseLambda(): void {
    if (this.LA(1).tokenType !== t.LParen) return;
    const next = this.LA(this.#closing(1) + 1);
    if (next.tokenType === t.Arrow)
      throw new SyntaxFault('lambda expressions need the feature gate ottl.functions.enableLambda, which is not supported yet', next.startOffset);
  }
  #nameEnd(): number {
    let k = 1;
    while (this.LA(k).tokenType === t.Upper || this.LA(k).tokenType === t.Lower) k++;
    return k;
  }
  #isCall(): boolean {
    const end = this.#nameEnd();
    return end > 1 && this.LA(end).tokenType === t.LParen;
  }
  #isNamed(): boolean {
    return this.LA(1).tokenType === t.Lower && this.LA(this.#nameEnd()).tokenType === t.Equal;
  }
}

function bytesLiteral(image: string, at: number): { kind: 'bytes'; value: Uint8Array } {
  if (image.length % 2 === 1) throw new SyntaxFault(`${image} has an odd number of digits`, at);
  return { kind: 'bytes', value: new Uint8Array(Buffer.from(image.slice(2), 'hex')) };
}

let parser: OttlParser | null = null; // Made when first needed: building the tables takes some milliseconds.

function parse<T>(text: string, rule: (parser: OttlParser) => T, what: string): T {
  if (text.length > MAX_TEXT) throw new SyntaxFault(`${what} has ${text.length} characters, more than ${MAX_TEXT}`, -1);
  const lexed = lexer.tokenize(text);
  const unknown = lexed.errors[0];
  if (unknown)
    throw new SyntaxFault(`${what} has invalid syntax: ${JSON.stringify(text.slice(unknown.offset, unknown.offset + 1))} means nothing here`, unknown.offset);
  let depth = 0;
  for (const token of lexed.tokens) {
    const type = token.tokenType;
    if (type === t.LParen || type === t.LBracket || type === t.LBrace) depth++;
    else if (type === t.RParen || type === t.RBracket || type === t.RBrace) depth--;
    if (depth > MAX_DEPTH) throw new SyntaxFault(`${what} is nested more than ${MAX_DEPTH} deep`, token.startOffset);
  }
  parser ??= new OttlParser();
  parser.input = lexed.tokens;
  try {
    const tree = rule(parser);
    const error = parser.errors[0];
    if (error) {
      const at = error.token.tokenType.name === 'EOF' || Number.isNaN(error.token.startOffset) ? text.trimEnd().length : error.token.startOffset;
      throw new SyntaxFault(error.message, at);
    }
    return tree;
  } catch (fault) {
    if (fault instanceof SyntaxFault) throw new SyntaxFault(`${what} has invalid syntax: ${fault.message}`, fault.offset);
    throw fault;
  }
}

export function parseStatement(text: string): Statement {
  return parse(text, (p) => p.statement(), 'statement');
}
export function parseCondition(text: string): Condition {
  return parse(text, (p) => p.condition(), 'condition');
}
export function parseExpression(text: string): Expression {
  return parse(text, (p) => p.expression(), 'expression');
}
