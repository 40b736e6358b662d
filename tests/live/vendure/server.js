// An unmodified Vendure: its own packages and its own sample catalogue, with nothing but settings.
// `node server.js populate` makes the tables of an empty database, fills them, and ends; without an argument it serves.
const path = require('node:path');
const { bootstrap, dummyPaymentHandler } = require('@vendure/core');
const { populate } = require('@vendure/core/cli');
const { AssetServerPlugin } = require('@vendure/asset-server-plugin');

const { SHOP_PORT, SHOP_PASSWORD, SHOP_ASSETS, PGHOST, PGUSER, PGDATABASE } = process.env;
const sample = path.join(path.dirname(require.resolve('@vendure/create/package.json')), 'assets');
const hostname = '127.0.0.1';
const filling = process.argv[2] === 'populate';

const config = {
    apiOptions: { hostname, port: Number(SHOP_PORT), adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
    authOptions: {
        tokenMethod: ['bearer', 'cookie', 'api-key'],
        superadminCredentials: { identifier: 'superadmin', password: SHOP_PASSWORD },
        cookieOptions: { secret: SHOP_PASSWORD },
    },
    dbConnectionOptions: {
        type: 'postgres',
        host: PGHOST,
        username: PGUSER,
        database: PGDATABASE,
        synchronize: filling,
    },
    importExportOptions: { importAssetsDir: path.join(sample, 'images') },
    paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
    plugins: [
        AssetServerPlugin.init({
            route: 'assets',
            assetUploadDir: SHOP_ASSETS,
            assetUrlPrefix: `http://${hostname}:${SHOP_PORT}/assets/`,
        }),
    ],
};

async function fill() {
    const catalogue = [path.join(sample, 'initial-data.json'), path.join(sample, 'products.csv')];
    const app = await populate(() => bootstrap(config), ...catalogue);
    await app.close();
}

(filling ? fill() : bootstrap(config)).catch(error => {
    console.error(error);
    process.exit(1);
});
