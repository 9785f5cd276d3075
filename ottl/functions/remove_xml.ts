/** An XML text without some parts. */
import { parseXmlTree } from '#ottl/formats/xml_tree.ts';
import { Selector, XmlAttributeNode } from '#ottl/formats/xpath.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'RemoveXML',
  summary: 'The XML text without the elements, attributes, texts, comments and CDATA sections that an XPath selects.',
  params: { target: p.string, xPath: p.stringLiteral },
  examples: [
    { run: 'RemoveXML("<a><b/><c x=\\"1\\">t</c></a>", "//b")', want: '<a><c x="1">t</c></a>' },
    { run: 'RemoveXML("<a><c x=\\"1\\">t</c></a>", "//@x")', want: '<a><c>t</c></a>' },
    { run: 'RemoveXML("<a><!-- c -->x</a>", "//comment()")', want: '<a>x</a>' },
  ],
  create({ target, xPath }) {
    const selector = new Selector(xPath);
    return (record) => {
      const text = target.get(record);
      if (text === '') return '';
      const tree = parseXmlTree(text);
      for (const node of selector.select(tree)) {
        if (node instanceof XmlAttributeNode) node.owner.removeAttribute(node.local);
        else if (node.kind === 'text') node.data = '';
        else if (node.kind === 'element' || node.kind === 'comment' || node.kind === 'cdata') node.remove();
      }
      return tree.innerXml();
    };
  },
});
