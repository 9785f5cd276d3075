/** What a User-Agent header says. */
import { parseUserAgent } from '#ottl/formats/user_agent.ts';
import { defineConverter, p } from '#ottl/function.ts';
import { ValueMap } from '#ottl/values.ts';

export default defineConverter({
  name: 'UserAgent',
  summary: 'A map of the name and version of the browser and the operating system of a User-Agent header, named as in the semantic conventions.',
  params: { userAgent: p.string },
  examples: [
    {
      run: 'UserAgent("curl/7.81.0")',
      want: { 'user_agent.name': 'curl', 'user_agent.original': 'curl/7.81.0', 'user_agent.version': '7.81.0', 'os.name': 'Other' },
    },
  ],
  create({ userAgent }) {
    return (record) => {
      const header = userAgent.get(record),
        { agent, system } = parseUserAgent(header);
      const map = new ValueMap(['user_agent.name', 'user_agent.original', 'user_agent.version', 'os.name'], [agent.name, header, agent.version, system.name]);
      if (system.version !== '') map.append('os.version', system.version);
      return map;
    };
  },
});
