/** XML as maps. */
import { type XmlAttribute, XmlTokens } from '#ottl/formats/xml_tokens.ts';
import { defineConverter, p } from '#ottl/function.ts';
import { fail, type Stored, ValueMap } from '#ottl/values.ts';

export default defineConverter({
  name: 'ParseXML',
  summary: 'The root element of an XML text as a map: tag, content, attributes, and children, which are such maps again.',
  params: { target: p.string },
  examples: [
    {
      run: 'ParseXML("<log level=\\"3\\"><who> Ada </who></log>")',
      want: { tag: 'log', attributes: { level: '3' }, children: [{ tag: 'who', content: 'Ada' }] },
    },
    { run: 'ParseXML("<a>&lt;<![CDATA[<b>]]></a>")', want: { tag: 'a', content: '<<b>' } },
    { run: 'ParseXML("<a></b>")', error: 'element <a> closed by </b>' },
    { run: 'ParseXML("<a/> ")', error: 'trailing bytes after parsing xml' },
  ],
  create({ target }) {
    return (record) => {
      const tokens = new XmlTokens(target.get(record));
      let token = nextToken(tokens);
      while (token !== null && token.kind !== 'start') token = nextToken(tokens);
      if (token === null) return fail('unmarshal xml: EOF');
      const map = element(tokens, token.name.local, token.attributes);
      return tokens.atEnd ? map : fail('trailing bytes after parsing xml');
    };
  },
});

function nextToken(tokens: XmlTokens): ReturnType<XmlTokens['next']> {
  try {
    return tokens.next();
  } catch (error) {
    return fail(`unmarshal xml: ${(error as Error).message}`);
  }
}

function element(tokens: XmlTokens, tag: string, attributes: readonly XmlAttribute[]): ValueMap {
  const children: Stored[] = [],
    map = new ValueMap(['tag'], [tag]);
  let content = '';
  for (let token = nextToken(tokens); token !== null && token.kind !== 'end'; token = nextToken(tokens)) {
    if (token.kind === 'start') children.push(element(tokens, token.name.local, token.attributes));
    else if (token.kind === 'text' || token.kind === 'cdata') content += token.data.trim();
  }
  if (content !== '') map.append('content', content);
  if (attributes.length > 0) {
    const named = new ValueMap();
    for (const { local, value } of attributes) named.set(local, value);
    map.append('attributes', named);
  }
  if (children.length > 0) map.append('children', children);
  return map;
}
