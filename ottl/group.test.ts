import assert from 'node:assert/strict';
import test from 'node:test';
import { functions } from '#ottl/functions/index.ts';
import { candidatesOf, compileGroup, type GroupSpec, isFaulty } from './group.ts';

function faultsOf(spec: Partial<GroupSpec>): string[] {
  const group = compileGroup({ statements: [], conditions: [], ...spec }, candidatesOf('logs', functions), functions);
  return isFaulty(group) ? group.map(({ in: where, index, message }) => `${where} ${index} ${message.split('\n')[0]}`) : [];
}

test('all faulty statements and conditions of a group are told, each with its place and the nearest name', () => {
  const statements = ['set(log.bodyy, 1)', 'set(log.body, 1)', 'set(log.body 1)', 'set(log.body, Concatt([], ""))'];
  const want = [
    'statements 0 1:5: segment "bodyy" from path "log.bodyy" is not a valid path of the log context; did you mean "body"?',
    'statements 2 1:14: statement has invalid syntax: unexpected "1", expected ")"',
    'statements 3 1:15: the log context does not know the function "Concatt"; did you mean "Concat"?',
    'conditions 0 1:1: "lg" is not a context of these statements; did you mean "log"?; contexts: resource, scope, log',
  ];
  assert.deepEqual(faultsOf({ statements, conditions: ['lg.body == 1'] }), want);
});

test('a statement without a path is no fault where another one says which context is meant', () => {
  assert.deepEqual(faultsOf({ statements: ['set(log.body, 1)'], conditions: ['IsMatch("a", "b")'] }), []);
  assert.deepEqual(faultsOf({ statements: ['set(log.bdy, 1)'], conditions: ['IsMatch("a", "b")'] }).length, 1);
  assert.match(faultsOf({ conditions: ['IsMatch("a", "b")'] })[0]!, /no path says which context is meant/);
});
