//! The offline advisory database: feeds to shards, shards to matches.
