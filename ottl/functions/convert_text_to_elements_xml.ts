/** Loose text in XML as elements. */
import { parseXmlTree, XmlNode } from '#ottl/formats/xml_tree.ts';
import { Selector, XmlAttributeNode } from '#ottl/formats/xpath.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'ConvertTextToElementsXML',
  summary:
    'The XML text with text that has neighbours put into elements of its own (named "value" unless given), in the elements that an XPath selects and below.',
  params: { target: p.string, xPath: p.optional(p.stringLiteral), elementName: p.optional(p.stringLiteral) },
  examples: [
    { run: 'ConvertTextToElementsXML("<a><b/>foo</a>")', want: '<a><b></b><value>foo</value></a>' },
    { run: 'ConvertTextToElementsXML("<a><b/>foo</a>", element_name="text")', want: '<a><b></b><text>foo</text></a>' },
    { run: 'ConvertTextToElementsXML("<a>foo</a>")', want: '<a>foo</a>', note: 'Text alone stays.' },
  ],
  create({ target, xPath, elementName }) {
    const selector = new Selector(xPath || '/');
    return (record) => {
      const tree = parseXmlTree(target.get(record));
      for (const node of selector.select(tree)) if (!(node instanceof XmlAttributeNode)) wrapTexts(node, elementName || 'value');
      return tree.innerXml();
    };
  },
});

function wrapTexts(parent: XmlNode, name: string): void {
  if (parent.kind !== 'element' && parent.kind !== 'document') return;
  let texts = 0,
    elements = 0;
  for (const child of parent.children()) {
    if (child.kind === 'element') {
      wrapTexts(child, name);
      elements++;
    } else if (child.kind === 'text') texts++;
  }
  if (texts === 0 || elements + texts <= 1) return;
  for (const child of parent.children()) {
    if (child.kind !== 'text') continue;
    const text = new XmlNode('text', child.data);
    child.kind = 'element';
    child.data = name;
    child.append(text);
  }
}
