/** An XML text with another one inside. */
import { parseXmlTree, XmlNode } from '#ottl/formats/xml_tree.ts';
import { Selector, XmlAttributeNode } from '#ottl/formats/xpath.ts';
import { quoteGo } from '#src/core/go_quote.ts';
import { defineConverter, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';

export default defineConverter({
  name: 'InsertXML',
  summary: 'The XML text with sub_document at the end of each element that an XPath selects.',
  params: { target: p.string, xPath: p.stringLiteral, subDocument: p.string },
  examples: [
    { run: 'InsertXML("<a><b/><b/></a>", "/a/b", "<c/>")', want: '<a><b><c></c></b><b><c></c></b></a>' },
    { run: 'InsertXML("<a/>", "/", "<c/>")', want: '<a></a><c></c>' },
    { run: 'InsertXML("<a x=\\"1\\"/>", "//@x", "<c/>")', error: 'InsertXML XPath selected non-element: "x"' },
  ],
  create({ target, xPath, subDocument }) {
    const selector = new Selector(xPath);
    return (record) => {
      const text = target.get(record),
        tree = text === '' ? new XmlNode('document', '') : parseXmlTree(text),
        inserted = parseXmlTree(subDocument.get(record));
      const faults: string[] = [];
      for (const node of selector.select(tree)) {
        if (node instanceof XmlAttributeNode) faults.push(`InsertXML XPath selected non-element: ${quoteGo(node.local)}`);
        else if (node.kind !== 'element' && node.kind !== 'document') faults.push(`InsertXML XPath selected non-element: ${quoteGo(node.data)}`);
        // The same nodes end up in each place: they are written there, and never changed again.
        else for (let child = inserted.first, next = child?.next ?? null; child; child = next, next = child?.next ?? null) node.append(child);
      }
      return faults.length > 0 ? fail(faults.join('\n')) : tree.innerXml();
    };
  },
});
