/** A target to scrape: node scrape_target.ts PORT SERIES. Values change from scrape to scrape. It prints the number of scrapes served, as they come. */
import { createServer } from 'node:http';

const [port, series] = [Number(process.argv[2]), Number(process.argv[3])];
const ROUNDS = 8;
const bodies = Array.from({ length: ROUNDS }, (_, round) => {
  const lines: string[] = [];
  for (let m = 0; m < series / 100; m++) {
    lines.push(`# HELP app_requests_${m}_total Requests taken.`, `# TYPE app_requests_${m}_total counter`);
    for (let i = 0; i < 100; i++)
      lines.push(
        `app_requests_${m}_total{method="${i & 1 ? 'POST' : 'GET'}",path="/api/v1/items/${i}",pod="web-${i % 10}-abcdef",zone="eu-west-1"} ${m * 1000 + i + round * 7}`,
      );
  }
  return Buffer.from(`${lines.join('\n')}\n`);
});
let served = 0;
createServer((_, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4' }).end(bodies[served++ % ROUNDS]);
  console.log(served);
}).listen(port, '127.0.0.1');
