"""The schema of the database as numbered SQL files, applied by `hotline.database`.

`NNNN_name.pre.sql` runs before the new program starts and only adds; `NNNN_name.post.sql`
runs when no old program is left and may take away. An applied file is never edited again:
its checksum is recorded in `schema_migrations`, and a changed file is refused.
"""
