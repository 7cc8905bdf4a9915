import { test } from 'node:test';
import { needs } from '../support/needs.js';
import { storyOf, tellStory } from './random-kills.js';

test('200 random kills leave what no kill would have left', {
  skip: needs('temporal', 'restic'),
  timeout: 30 * 60_000,
}, async () => {
  const story = storyOf(process.env, 200);
  console.log(`seed ${story.seed} (HOLDFAST_CHAOS_SEED repeats it)`);
  console.log(await tellStory(story));
});
