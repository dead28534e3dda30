use sqlx::PgConnection;

/// Leg by leg, what reconcile-svc has written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// What we accepted.
    pub taken: Vec<Taken>,
    /// What the provider told.
    pub told: Vec<Told>,
}

/// A payment that our books hold as accepted.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Taken {
    /// The attempt's number.
    pub out_trade_no: String,
    /// WeChat's number.
    pub transaction_id: String,
    /// Fen.
    pub amount_fen: i64,
    /// PAID or SURPLUS.
    pub kept_as: String,
}

/// A payment that the provider told about.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Told {
    /// WeChat's number.
    pub transaction_id: String,
    /// Fen.
    pub amount_fen: i64,
}

/// Both legs, and how many events wait.
pub(super) async fn read(conn: &mut PgConnection) -> sqlx::Result<(Books, i64)> {
    let taken = sqlx::query_as(
        "SELECT out_trade_no, transaction_id, taken_amount_fen AS amount_fen, taken_as AS kept_as FROM book_payments WHERE taken_as IS NOT NULL",
    );
    let taken = taken.fetch_all(&mut *conn).await?;
    let told = sqlx::query_as("SELECT transaction_id, amount_fen FROM provider_payments");
    let told = told.fetch_all(&mut *conn).await?;
    let waiting = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(conn).await?;
    Ok((Books { taken, told }, waiting))
}
