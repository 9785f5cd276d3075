// A range query's answer as lines. uPlot draws on a canvas, so 100 series of 10,000 points stay fluent; the legend is ours, because it has
// to wrap and to switch single series.
import uPlot from './uplot.js';
import { byId, element, seriesName, shortNumber } from './dom.js';

export interface MatrixSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values?: readonly (readonly [timeS: number, value: string])[];
}

/** More lines than this are neither told apart nor drawn. */
const MAX_LINES = 100;
const HUES = 12;
/** Neighbouring series get hues far apart; later rounds get other lightness. */
const colour = (index: number, dark: boolean): string => `hsl(${((index * 5) % HUES) * (360 / HUES) + 205} 65% ${(dark ? 66 : 42) - (Math.floor(index / HUES) % 3) * 10}%)`;

let plot: uPlot | null = null;
/** Which series the user switched off, by name: kept from one answer to the next. */
const hidden = new Set<string>();

/** Draws the series between two times on one grid of `stepS` seconds. `onZoom` is told what the user marks with the mouse. */
export function drawGraph(series: readonly MatrixSeries[], startS: number, endS: number, stepS: number, onZoom: (startS: number, endS: number) => void): void {
  clearGraph();
  const shown = series.slice(0, MAX_LINES), count = Math.floor((endS - startS) / stepS + 1e-6) + 1;
  const times = Array.from({ length: count }, (_, i) => startS + i * stepS);
  const columns = shown.map((one) => {
    const column: (number | null)[] = new Array(count).fill(null);
    for (const [time, value] of one.values ?? []) {
      const at = Math.round((time - startS) / stepS), number = Number(value);
      if (at >= 0 && at < count && Number.isFinite(number)) column[at] = number;
    }
    return column;
  });
  const style = getComputedStyle(document.body), dark = matchMedia('(prefers-color-scheme: dark)').matches, names = shown.map((one) => seriesName(one.metric));
  const axis = { stroke: style.color, grid: { stroke: dark ? '#34383e' : '#e6e6e2', width: 1 }, ticks: { stroke: dark ? '#34383e' : '#dcdcd8', width: 1 } };
  const host = byId('graph');
  plot = new uPlot(
    {
      width: host.clientWidth,
      height: Math.max(260, Math.min(420, Math.round(innerHeight * 0.4))),
      legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false }, focus: { prox: 24 } },
      focus: { alpha: 0.25 },
      scales: { x: { time: true, range: () => [startS, endS] } },
      axes: [axis, { ...axis, size: 64, values: (_: uPlot, ticks: number[]) => ticks.map(shortNumber) }],
      series: [{}, ...shown.map((_, i) => ({ stroke: colour(i, dark), width: 1.5, show: !hidden.has(names[i]!), points: { show: count < 2 } }))],
      hooks: {
        setSelect: [
          (self: uPlot) => {
            const { left, width } = self.select;
            if (width < 4) return;
            onZoom(self.posToVal(left, 'x'), self.posToVal(left + width, 'x'));
          },
        ],
      },
    },
    [times, ...columns] as uPlot.AlignedData,
    host,
  );
  drawLegend(names, columns, dark, series.length);
}

function drawLegend(names: readonly string[], columns: readonly (readonly (number | null)[])[], dark: boolean, total: number): void {
  const rows = names.map((name, i) => {
    const mark = element('i', { style: `background: ${colour(i, dark)}` }), last = columns[i]!.findLast((value) => value !== null);
    const row = element('button', { type: 'button', 'aria-pressed': String(!hidden.has(name)) }, mark, `${name}  ${last === undefined || last === null ? '' : shortNumber(last)}`);
    row.addEventListener('click', () => {
      const show = hidden.delete(name);
      if (!show) hidden.add(name);
      row.setAttribute('aria-pressed', String(show));
      plot?.setSeries(i + 1, { show });
    });
    return row;
  });
  if (total > MAX_LINES) rows.push(element('span', { class: 'empty' }, `${total - MAX_LINES} more series are not drawn; aggregate them, for example with topk(10, ...)`));
  byId('legend').replaceChildren(...rows);
}

export function clearGraph(): void {
  plot?.destroy();
  plot = null;
  byId('graph').replaceChildren();
  byId('legend').replaceChildren();
}

addEventListener('resize', () => plot?.setSize({ width: byId('graph').clientWidth, height: plot.height }));
