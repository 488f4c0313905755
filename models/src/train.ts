/** Trains both networks and writes their ONNX files: `npx bun models/src/train.ts`, about a minute. The same engine writes the same files. */
import { writeFileSync } from 'node:fs'
import { writeModel } from '@shardy/importer'
import { classes, createDraw, drawDigits, pixels, realsOf, side, testSet, trainingSet } from './digits.ts'
import {
  createConv,
  createDense,
  createPool,
  createRelu,
  forward,
  type Layer,
  learnFrom,
  step,
} from './network.ts'
import { floatModel, quantizedModel } from './onnx.ts'

interface Recipe {
  readonly layers: readonly Layer[]
  readonly epochs: number
  readonly rate: number
}

const draw = createDraw(3)
const recipes: Readonly<Record<'mlp' | 'cnn', Recipe>> = {
  mlp: {
    layers: [createDense(pixels, 64, draw), createRelu(), createDense(64, classes, draw)],
    epochs: 20,
    rate: 0.03,
  },
  cnn: {
    layers: [
      createConv(1, 8, side, draw),
      createRelu(),
      createPool(8, side),
      createConv(8, 16, side / 2, draw),
      createRelu(),
      createPool(16, side / 2),
      createDense(16 * (side / 4) ** 2, classes, draw),
    ],
    epochs: 6,
    rate: 0.03,
  },
}

const batchSize = 32
const training = drawDigits(trainingSet.count, trainingSet.seed)
const test = drawDigits(testSet.count, testSet.seed)
const [trainingImages, testImages] = [realsOf(training.images), realsOf(test.images)]
const imageAt = (images: Float32Array, index: number) => images.subarray(index * pixels, (index + 1) * pixels)

function shuffled(count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index)
  for (let index = count - 1; index > 0; index--) {
    const other = Math.floor(draw() * (index + 1))
    const kept = order[index] as number
    order[index] = order[other] as number
    order[other] = kept
  }
  return order
}

function correctOf(layers: readonly Layer[]): number {
  let correct = 0
  for (const [index, label] of test.labels.entries()) {
    const scores = forward(layers, imageAt(testImages, index))
    if (scores.indexOf(Math.max(...scores)) === label) correct++
  }
  return correct
}

function train({ layers, epochs, rate }: Recipe): void {
  for (let epoch = 0; epoch < epochs; epoch++) {
    let loss = 0
    const order = shuffled(trainingSet.count)
    for (let start = 0; start < order.length; start += batchSize) {
      const batch = order.subarray(start, start + batchSize)
      for (const index of batch)
        loss += learnFrom(layers, imageAt(trainingImages, index), training.labels[index] ?? 0)
      step(layers, rate * (1 - epoch / epochs), batch.length)
    }
    console.log(`epoch ${epoch + 1} of ${epochs}: loss ${(loss / trainingSet.count).toFixed(4)}`)
  }
}

for (const [name, recipe] of Object.entries(recipes)) {
  console.log(name)
  train(recipe)
  console.log(`${correctOf(recipe.layers)} of ${testSet.count} unseen images`)
  const model = floatModel(`digits-${name}`, recipe.layers)
  const write = (file: string, bytes: Uint8Array) =>
    writeFileSync(new URL(`../${file}.onnx`, import.meta.url), bytes)
  write(model.name, writeModel(model))
  if (name === 'cnn') {
    // Its ranges come from images that it learned from.
    const quantized = quantizedModel(model, trainingImages.subarray(0, 500 * pixels))
    write(quantized.name, writeModel(quantized))
  }
}
