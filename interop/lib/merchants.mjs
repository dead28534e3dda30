// The development merchants, read from the files that the services read, and the client as each of them would use it.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

/// The independent client: its signer, its XML, its encryption, its HTTP. Nothing of it is replaced.
export const { Wechatpay, Hash, Transformer, Aes, Formatter } = require('wechatpay-axios-plugin');

/// Where the merchant files are.
export const folder = fileURLToPath(new URL('../../deploy/dev/merchants/', import.meta.url));

const text = (name) => readFileSync(folder + name, 'utf8').trim();

/// A string of a merchant file; those of this folder are one line each.
function field(toml, name) {
  const found = new RegExp(`^${name} = "([^"]*)"`, 'm').exec(toml);
  if (!found) throw new Error(`a merchant file has no ${name}`);
  return found[1];
}

export class Merchant {
  constructor(name) {
    const toml = text(`${name}.toml`);
    this.name = name;
    this.mchId = field(toml, 'mch_id');
    this.signType = field(toml, 'sign_type');
    this.appId = field(toml, 'app_id');
    this.key = text(field(toml, 'api_key_file'));
    this.cert = text(field(toml, 'client_cert_file'));
    this.certKey = text(field(toml, 'client_key_file'));
  }

  /// The client, told where WeChat is; `key` is another one to be wrong with.
  client(baseURL, key = this.key) {
    return new Wechatpay({
      baseURL,
      mchid: this.mchId,
      secret: key,
      merchant: { cert: this.cert, key: this.certKey },
      // API v3 alone uses these, and the constructor wants them.
      serial: 'none',
      privateKey: this.certKey,
      certs: { other: this.cert },
    }).v2;
  }

  /// What every request of this merchant begins with. MD5 is not named, as WeChat's documentation has it.
  get fields() {
    const signType = this.signType === 'MD5' ? {} : { sign_type: this.signType };
    return { appid: this.appId, mch_id: this.mchId, ...signType };
  }

  /// Fields and their signature, by the client's own signer.
  signed(fields, { key = this.key, signType = this.signType } = {}) {
    return { ...fields, sign: Hash.sign(signType, fields, key) };
  }
}

/// Fields as XML, by the client's own writer.
export const xml = (fields) => Transformer.toXml(fields);

/// XML as fields, by the client's own parser.
export const fieldsOf = (body) => Transformer.toObject(body);
