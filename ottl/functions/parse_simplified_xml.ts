/** XML as maps of the texts of its elements. */
import { parseXmlTree, type XmlNode } from '#ottl/formats/xml_tree.ts';
import { defineConverter, p } from '#ottl/function.ts';
import { type Stored, ValueMap } from '#ottl/values.ts';

export default defineConverter({
  name: 'ParseSimplifiedXML',
  summary: 'A map of the elements of an XML text by name: text, maps, or a list where a name repeats. Attributes and text beside elements are left out.',
  params: { target: p.string },
  examples: [
    { run: 'ParseSimplifiedXML("<trip><id>9</id><boat><name>Tern</name></boat></trip>")', want: { trip: { id: '9', boat: { name: 'Tern' } } } },
    { run: 'ParseSimplifiedXML("<a><b>1</b><b>2</b>loose</a>")', want: { a: { b: ['1', '2'] } } },
    { run: 'ParseSimplifiedXML("<a>")', error: 'parse xml:' },
  ],
  create({ target }) {
    return (record) => elements(parseXmlTree(target.get(record)));
  },
});

function elements(parent: XmlNode): ValueMap {
  const map = new ValueMap(),
    counts = new Map<string, number>();
  for (const child of parent.children()) if (child.kind === 'element') counts.set(child.data, (counts.get(child.data) ?? 0) + 1);
  for (const child of parent.children()) {
    if (child.kind !== 'element' || child.first === null) continue;
    const leaf = leafText(child),
      value: Stored = leaf === '' ? elements(child) : leaf;
    const empty = value instanceof ValueMap && value.size === 0;
    if (counts.get(child.data)! > 1) {
      const list = map.get(child.data) as Stored[] | undefined;
      if (list === undefined) map.append(child.data, empty ? [] : [value]);
      else if (!empty) list.push(value);
    } else if (!empty) map.set(child.data, value);
  }
  return map;
}

/** The first text of an element without elements inside. */
function leafText(element: XmlNode): string {
  const children = [...element.children()];
  if (children.some(({ kind }) => kind === 'element')) return '';
  return children.find(({ kind }) => kind === 'text' || kind === 'cdata')?.data ?? '';
}
