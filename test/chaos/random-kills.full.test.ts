import { test } from 'node:test';
import { needs } from '../support/needs.js';
import { storyOf, tellStory } from './random-kills.js';

const story = storyOf(process.env, 200);

test(`${story.kills} random kills leave what no kill would have left`, {
  skip: needs('temporal', 'restic'),
  timeout: 30 * 60_000,
}, async () => {
  console.log(`seed ${story.seed} (HOLDFAST_CHAOS_SEED repeats it)`);
  console.log(await tellStory(story));
});
