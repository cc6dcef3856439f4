import { getHeapSpaceStatistics } from 'node:v8';
import { expect, it } from 'vitest';
import { Nursery } from '../../src/pipeline/nursery.ts';

const young = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')!.space_used_size;

it('leaves little of what was made and let go', () => {
  const nursery = new Nursery();
  nursery.tidy();
  // What is kept makes the engine give new objects more room; it collects by itself now and then, and one time of several it has not just done so.
  const kept: object[] = [];
  let most = 0;
  for (let time = 0; time < 500 && most < 6_000_000; time++) {
    for (let index = 0; index < 5_000; index++) kept.push([{ index }, { index }]);
    most = young();
  }
  expect(most).toBeGreaterThan(4_000_000);
  kept.length = 0;
  nursery.tidy();
  expect(young()).toBeLessThan(most / 2);
});
