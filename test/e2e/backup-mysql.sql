CREATE DATABASE everything CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
USE everything;
SET FOREIGN_KEY_CHECKS = 0;
SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
CREATE TABLE kinds (
  id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT,
  flags BIT(13), price DECIMAL(30,10), ratio DOUBLE, day DATE, moment DATETIME(6), stamp TIMESTAMP(3) NULL,
  year_ YEAR, choice ENUM('a','b,c','d''e'), many SET('x','y','z'), document JSON, place GEOMETRY,
  text_ VARCHAR(200), raw VARBINARY(300), odd VARCHAR(300) CHARACTER SET latin1, long_ LONGBLOB,
  doubled DOUBLE AS (ratio * 2) PERSISTENT, tripled DOUBLE AS (ratio * 3) VIRTUAL,
  hidden INT INVISIBLE DEFAULT 7,
  UNIQUE KEY (text_), FULLTEXT KEY (text_), CHECK (ratio < 1e300)
) ENGINE=InnoDB COMMENT='a comment; with '' and `ticks`\nand a line break';
INSERT INTO kinds (id, flags, price, ratio, day, moment, stamp, year_, choice, many, document, place, text_, raw, odd, long_) VALUES
  (0, b'1010101010101', -12345678901234567890.0123456789, 1.7e-300, '0000-00-00', '2026-02-28 23:59:59.999999', '2026-01-01 00:00:00.123', 1999, 'b,c', 'x,z', '{"a":[1,"\\u00e9"]}', ST_GeomFromText('POINT(1 2)'), 'line\nbreak; -- no comment\n-- Table structure for table `kinds`', UNHEX('00FF0A0D1A275C60'), UNHEX('E9FF80'), REPEAT(UNHEX('00A5FF27'), 250000)),
  (18446744073709551615, b'0', 0, -0.0, NULL, '1000-01-01 00:00:00', NULL, NULL, '', '', NULL, NULL, '😀𝒳雪 \' " \\ \Z', '', '', NULL);
CREATE TABLE no_key (a INT, b VARCHAR(10));
INSERT INTO no_key VALUES (3, 'x'), (1, 'y'), (3, 'x'), (NULL, NULL);
CREATE TABLE parted (id INT, day DATE, PRIMARY KEY (id, day)) PARTITION BY RANGE (YEAR(day)) (PARTITION old VALUES LESS THAN (2020), PARTITION rest VALUES LESS THAN MAXVALUE);
INSERT INTO parted VALUES (1, '2014-01-01'), (2, '2026-01-01');
CREATE TABLE one (id INT PRIMARY KEY, other INT, FOREIGN KEY (other) REFERENCES two (id));
CREATE TABLE two (id INT PRIMARY KEY, other INT, FOREIGN KEY (other) REFERENCES one (id));
INSERT INTO one VALUES (1, 1); INSERT INTO two VALUES (1, 1);
CREATE TABLE loose (id INT PRIMARY KEY, x TEXT) ENGINE=MyISAM;
INSERT INTO loose VALUES (1, 'not transactional');
CREATE TABLE empty_one (id INT PRIMARY KEY);
CREATE TABLE log_ (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(100));
CREATE SEQUENCE counter START WITH 5 INCREMENT BY 3;
SELECT NEXTVAL(counter);
CREATE TABLE `a/b` (id INT PRIMARY KEY);
CREATE TABLE `..` (id INT PRIMARY KEY);
CREATE TABLE `with space` (id INT PRIMARY KEY);
CREATE TABLE `tick``ed` (id INT PRIMARY KEY);
CREATE TABLE `Twin` (id INT PRIMARY KEY);
CREATE TABLE `tWIN` (id INT PRIMARY KEY);
CREATE TABLE `select` (id INT PRIMARY KEY);
CREATE TABLE `雪` (`snö` INT PRIMARY KEY);
CREATE TABLE `--all-databases` (id INT PRIMARY KEY);
CREATE TABLE `$(touch x); 'y' "z" %s` (id INT PRIMARY KEY);
CREATE TABLE `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` (id INT PRIMARY KEY);
INSERT INTO `a/b` VALUES (1); INSERT INTO `..` VALUES (2); INSERT INTO `Twin` VALUES (3); INSERT INTO `tWIN` VALUES (4);
INSERT INTO `--all-databases` VALUES (5); INSERT INTO `$(touch x); 'y' "z" %s` VALUES (6); INSERT INTO `雪` VALUES (7);
CREATE VIEW z_base AS SELECT id, text_ FROM kinds;
CREATE VIEW a_on_view AS SELECT id FROM z_base WHERE id > 0;
CREATE TABLE gone (id INT);
CREATE VIEW broken AS SELECT id FROM gone;
DROP TABLE gone;
CREATE DEFINER='nobody_here'@'%' SQL SECURITY DEFINER VIEW of_nobody AS SELECT 1 AS one;
DELIMITER //
CREATE TRIGGER before_insert BEFORE INSERT ON no_key FOR EACH ROW BEGIN
  IF NEW.a = 99 THEN SET NEW.b = 'nn;n'; END IF;
END//
CREATE TRIGGER after_insert AFTER INSERT ON no_key FOR EACH ROW INSERT INTO log_ (what) VALUES (CONCAT('added ;; ', NEW.a))//
CREATE FUNCTION plus_one(x INT) RETURNS INT DETERMINISTIC BEGIN
  -- a comment with ;; and a 'quote
  RETURN x + 1;
END//
CREATE PROCEDURE talk(IN x INT) BEGIN SELECT 'a//b;;' AS said; END//
CREATE DEFINER='nobody_here'@'%' PROCEDURE of_nobody() SELECT 1//
CREATE EVENT tick ON SCHEDULE EVERY 1 YEAR STARTS '2030-01-01 00:00:00' DO INSERT INTO log_ (what) VALUES ('tick')//
DELIMITER ;
CREATE VIEW with_function AS SELECT plus_one(1) AS two;
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON everything.* TO app@'%';
