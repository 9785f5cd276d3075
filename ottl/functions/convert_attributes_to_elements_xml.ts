/** Attributes of XML as elements. */
import { parseXmlTree, XmlNode } from '#ottl/formats/xml_tree.ts';
import { Selector, XmlAttributeNode } from '#ottl/formats/xpath.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'ConvertAttributesToElementsXML',
  summary: 'The XML text with the attributes that an XPath selects (all of them unless given) as elements at the end of theirs.',
  params: { target: p.string, xPath: p.optional(p.stringLiteral) },
  examples: [
    { run: 'ConvertAttributesToElementsXML("<a x=\\"1\\" y=\\"2\\"><b/></a>")', want: '<a><b></b><x>1</x><y>2</y></a>' },
    { run: 'ConvertAttributesToElementsXML("<a x=\\"1\\"><b y=\\"2\\"/></a>", "//b/@y")', want: '<a x="1"><b><y>2</y></b></a>' },
  ],
  create({ target, xPath }) {
    const selector = new Selector(xPath || '//@*');
    return (record) => {
      const tree = parseXmlTree(target.get(record));
      for (const node of selector.select(tree)) {
        if (!(node instanceof XmlAttributeNode)) continue;
        const element = new XmlNode('element', node.local);
        element.append(new XmlNode('text', node.value));
        node.owner.append(element);
        node.owner.removeAttribute(node.local);
      }
      return tree.innerXml();
    };
  },
});
