/** Parts of an XML text. */
import { XmlNode, parseXmlTree } from '#ottl/formats/xml_tree.ts';
import { Selector, XmlAttributeNode } from '#ottl/formats/xpath.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'GetXML',
  summary: 'The elements, texts and attribute values of an XML text that an XPath selects, one behind the other.',
  params: { target: p.string, xPath: p.stringLiteral },
  examples: [
    { run: 'GetXML("<a><b id=\\"1\\">x</b><b id=\\"2\\"/></a>", "/a/b[@id=\'1\']")', want: '<b id="1">x</b>' },
    { run: 'GetXML("<a><b id=\\"1\\">x</b><b id=\\"2\\">y</b></a>", "//b/@id")', want: '12' },
    { run: 'GetXML("<a>x</a>", "/a[")', error: 'invalid xpath' },
  ],
  create({ target, xPath }) {
    const selector = new Selector(xPath);
    return (record) => {
      const text = target.get(record);
      if (text === '') return '';
      const result = new XmlNode('document', '');
      for (const node of selector.select(parseXmlTree(text))) {
        if (node instanceof XmlAttributeNode) result.append(new XmlNode('text', node.value));
        else if (node.kind === 'cdata') result.append(new XmlNode('text', node.data));
        else if (node.kind === 'element' || node.kind === 'text') result.append(node);
      }
      return result.innerXml();
    };
  },
});
