//! Table `product_codes`.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use money::Fen;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{from_json, to_json};
use crate::domain::{ProductCodeId, product_code::ProductCode};

struct Row {
    product_code_id: Uuid,
    app: String,
    product_no: String,
    merchant: String,
    provider: String,
    mch_id: String,
    app_id: String,
    amount_fen: i64,
    description: String,
    particulars: Option<String>,
    create_time: jiff_sqlx::Timestamp,
    close_time: Option<jiff_sqlx::Timestamp>,
}

impl TryFrom<Row> for ProductCode {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        Ok(ProductCode {
            id: ProductCodeId(row.product_code_id),
            app: row.app,
            product_no: row.product_no,
            merchant: row.merchant,
            provider: row.provider,
            mch_id: row.mch_id,
            app_id: row.app_id,
            amount: Fen::new(row.amount_fen),
            description: row.description,
            particulars: row.particulars.as_deref().map(from_json).transpose()?,
            create_time: row.create_time.to_jiff(),
            close_time: row.close_time.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// Writes a new product code. False when this app has used the `product_no` before.
pub async fn insert(conn: &mut PgConnection, product: &ProductCode, content_sha256: &[u8]) -> sqlx::Result<bool> {
    let particulars = product.particulars.as_ref().map(to_json).transpose()?;
    let inserted = sqlx::query!(
        "INSERT INTO product_codes (product_code_id, app, product_no, merchant, provider, mch_id, app_id, amount_fen,
                                    description, particulars, content_sha256, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb, $11, $12)
         ON CONFLICT (app, product_no) DO NOTHING",
        product.id.0,
        product.app,
        product.product_no,
        product.merchant,
        product.provider,
        product.mch_id,
        product.app_id,
        product.amount.get(),
        product.description,
        particulars,
        content_sha256,
        product.create_time.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// The product code that this app made under that number, with the hash of what it asked for.
pub async fn by_product_no(
    conn: &mut PgConnection,
    app: &str,
    product_no: &str,
) -> sqlx::Result<Option<(ProductCodeId, Vec<u8>)>> {
    let row = sqlx::query!(
        "SELECT product_code_id, content_sha256 FROM product_codes WHERE app = $1 AND product_no = $2",
        app,
        product_no,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (ProductCodeId(row.product_code_id), row.content_sha256)))
}

/// A product code, whosever it is.
pub async fn find(conn: &mut PgConnection, id: ProductCodeId) -> sqlx::Result<Option<ProductCode>> {
    sqlx::query_as!(
        Row,
        "SELECT product_code_id, app, product_no, merchant, provider, mch_id, app_id, amount_fen, description,
                particulars::text AS particulars, create_time, close_time
         FROM product_codes WHERE product_code_id = $1",
        id.0,
    )
    .fetch_optional(conn)
    .await?
    .map(ProductCode::try_from)
    .transpose()
}

/// Product codes of one app, newest first, older than `before`; only that number when one is given.
pub async fn list(
    conn: &mut PgConnection,
    app: &str,
    product_no: Option<&str>,
    before: Option<ProductCodeId>,
    limit: i64,
) -> sqlx::Result<Vec<ProductCode>> {
    sqlx::query_as!(
        Row,
        "SELECT product_code_id, app, product_no, merchant, provider, mch_id, app_id, amount_fen, description,
                particulars::text AS particulars, create_time, close_time
         FROM product_codes
         WHERE app = $1 AND ($2::text IS NULL OR product_no = $2) AND ($3::uuid IS NULL OR product_code_id < $3)
         ORDER BY product_code_id DESC LIMIT $4",
        app,
        product_no,
        before.map(|id| id.0),
        limit,
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(ProductCode::try_from)
    .collect()
}

/// Takes a product code out of sale. One that is out of sale already keeps its time.
pub async fn close(conn: &mut PgConnection, id: ProductCodeId, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE product_codes SET close_time = coalesce(close_time, $2) WHERE product_code_id = $1",
        id.0,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
