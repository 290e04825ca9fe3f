// Compares a picture with texts: node encode.mjs HOST:PORT PICTURE TEXT...
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const PROTOS = process.env.PROTOS ?? new URL('../../../../protos', import.meta.url).pathname;
const [address, picture, ...texts] = process.argv.slice(2);

const definition = loader.loadSync('sightline/encoder/v1/encoder.proto', { includeDirs: [PROTOS] });
const { Encoder } = grpc.loadPackageDefinition(definition).sightline.encoder.v1;
const encoder = new Encoder(address, grpc.credentials.createInsecure());
const call = (method, request) =>
  promisify(encoder[method].bind(encoder))(request, new grpc.Metadata(), { deadline: Date.now() + 10_000 });

// Of length one: the cosine similarity of two is their dot product.
function vectorsOf(answer) {
  return answer.results.map(({ vector, status }) => {
    if (status) throw new Error(status.message);
    return vector.values;
  });
}
const dot = (a, b) => a.reduce((sum, value, index) => sum + value * b[index], 0);

const { models } = await call('ListModels', {});
console.log('model', models[0].id);
const [image] = vectorsOf(await call('EncodeImage', { images: [{ encoded: readFileSync(picture) }] }));
const vectors = vectorsOf(await call('EncodeText', { texts }));
texts.forEach((text, index) => console.log(dot(image, vectors[index]).toFixed(3), text));
encoder.close();
