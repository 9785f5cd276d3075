// Small helpers over the DOM. Text goes in as text nodes only, so nothing that telemetry contains can become markup.

/** The element with this id, which the page is known to have. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as E;
}

/** A new element with attributes and children; undefined attributes are left out. */
export function element(name: string, attributes: Readonly<Record<string, string | undefined>> = {}, ...children: (Node | string)[]): HTMLElement {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** `name{label="value", ...}` as PromQL writes it. */
export function seriesName(labels: Readonly<Record<string, string>>): string {
  const { __name__: name = '', ...rest } = labels;
  const inner = Object.entries(rest).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(', ');
  return inner || !name ? `${name}{${inner}}` : name;
}

/** 1234567 as 1.23 M; what is not finite as it is. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-3) return value.toExponential(2);
  for (const [unit, scale] of [['T', 1e12], ['G', 1e9], ['M', 1e6], ['k', 1e3]] as const) if (size >= scale) return `${trim(value / scale)} ${unit}`;
  return trim(value);
}
const trim = (value: number): string => String(Number(value.toPrecision(4)));

const TENANT_HEADER = 'X-Scope-OrgID';

/** One call of the HTTP API for the chosen tenant; rejects with what the server says is wrong. */
export async function call<T>(path: string, parameters: Readonly<Record<string, string>> = {}, signal?: AbortSignal): Promise<T> {
  const tenant = byId<HTMLInputElement>('tenant').value.trim(), body = new URLSearchParams(parameters);
  const post = body.size > 0;
  const response = await fetch(path, { ...(post && { method: 'POST', body }), ...(signal && { signal }), headers: tenant ? { [TENANT_HEADER]: tenant } : {} });
  const text = await response.text();
  let answer: { status?: string; data?: T; error?: string; errorType?: string };
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    throw new Error(`${response.status} ${response.statusText}: ${text.slice(0, 200)}`);
  }
  if (answer.status !== 'success') throw new Error(`${answer.errorType ?? response.status}: ${answer.error ?? text.slice(0, 200)}`);
  return answer.data as T;
}
