-- What reklamctl migrate has applied.
SELECT name, checksum
  FROM reklam.migrations;
