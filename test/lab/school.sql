-- The language school: what the application of the estate keeps in RDS. Every run writes the same rows.
CREATE DATABASE school CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
USE school;

CREATE TABLE teachers (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(80) NOT NULL,
  email VARCHAR(120) NOT NULL,
  language CHAR(2) NOT NULL,
  hourly_rate DECIMAL(6,2) NOT NULL,
  photo MEDIUMBLOB NULL,
  hired_on DATE NOT NULL,
  UNIQUE KEY teachers_email (email)
) ENGINE=InnoDB;

CREATE TABLE classes (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  teacher_id INT UNSIGNED NOT NULL,
  title VARCHAR(120) NOT NULL,
  language CHAR(2) NOT NULL,
  level ENUM('A1','A2','B1','B2','C1','C2') NOT NULL,
  weekdays SET('mon','tue','wed','thu','fri','sat') NOT NULL,
  starts_on DATE NOT NULL,
  seats SMALLINT UNSIGNED NOT NULL DEFAULT 40,
  enrolled SMALLINT UNSIGNED NOT NULL DEFAULT 0,
  KEY classes_language (language, level),
  CONSTRAINT classes_teacher FOREIGN KEY (teacher_id) REFERENCES teachers (id)
) ENGINE=InnoDB;

CREATE TABLE students (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  given_name VARCHAR(60) NOT NULL,
  family_name VARCHAR(60) NOT NULL,
  full_name VARCHAR(122) AS (CONCAT(given_name, ' ', family_name)) STORED,
  email VARCHAR(120) NOT NULL,
  country CHAR(2) NOT NULL,
  born_on DATE NULL,
  settings LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL CHECK (JSON_VALID(settings)),
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  UNIQUE KEY students_email (email),
  KEY students_name (full_name)
) ENGINE=InnoDB;

CREATE TABLE enrolments (
  class_id INT UNSIGNED NOT NULL,
  student_id INT UNSIGNED NOT NULL,
  enrolled_on DATE NOT NULL,
  paid DECIMAL(8,2) NOT NULL DEFAULT 0,
  PRIMARY KEY (class_id, student_id),
  CONSTRAINT enrolments_class FOREIGN KEY (class_id) REFERENCES classes (id) ON DELETE CASCADE,
  CONSTRAINT enrolments_student FOREIGN KEY (student_id) REFERENCES students (id) ON DELETE CASCADE
) ENGINE=InnoDB;

CREATE TABLE exercises (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  class_id INT UNSIGNED NOT NULL,
  kind ENUM('listen','speak','read','write') NOT NULL,
  prompt TEXT NOT NULL,
  answer_key BLOB NULL,
  points TINYINT UNSIGNED NOT NULL DEFAULT 10,
  due_at DATETIME(3) NOT NULL,
  FULLTEXT KEY exercises_prompt (prompt),
  CONSTRAINT exercises_class FOREIGN KEY (class_id) REFERENCES classes (id) ON DELETE CASCADE
) ENGINE=InnoDB;

CREATE TABLE submissions (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  exercise_id INT UNSIGNED NOT NULL,
  student_id INT UNSIGNED NOT NULL,
  s3_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  size_bytes INT UNSIGNED NOT NULL,
  checksum BINARY(16) NOT NULL,
  submitted_at DATETIME NOT NULL,
  score TINYINT UNSIGNED NULL,
  remark VARCHAR(400) NULL,
  is_late BOOLEAN NOT NULL DEFAULT FALSE,
  UNIQUE KEY submissions_s3_key (s3_key),
  KEY submissions_day (submitted_at),
  CONSTRAINT submissions_exercise FOREIGN KEY (exercise_id) REFERENCES exercises (id),
  CONSTRAINT submissions_student FOREIGN KEY (student_id) REFERENCES students (id)
) ENGINE=InnoDB;

CREATE TABLE audit_log (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  happened_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  what VARCHAR(40) NOT NULL,
  detail VARCHAR(255) NULL
) ENGINE=InnoDB;

CREATE TABLE daily_statistics (
  day DATE NOT NULL,
  language CHAR(2) NOT NULL,
  submissions INT UNSIGNED NOT NULL,
  mean_score DECIMAL(5,2) NULL,
  PRIMARY KEY (day, language)
) ENGINE=InnoDB;

-- The names are picked by number, so that two runs agree; the lists have lengths that share no factor.
CREATE TABLE names (
  id INT UNSIGNED NOT NULL PRIMARY KEY,
  given_name VARCHAR(60) NOT NULL,
  family_name VARCHAR(60) NOT NULL,
  country CHAR(2) NOT NULL
) ENGINE=InnoDB;
INSERT INTO names VALUES
  (0, 'さくら', '田中', 'JP'), (1, '海斗', '渡辺', 'JP'), (2, 'Zoë', 'O''Brien', 'IE'), (3, 'Seán', 'Ó Súilleabháin', 'IE'),
  (4, 'Łukasz', 'Wójcik', 'PL'), (5, 'Małgorzata', 'Dąbrowska', 'PL'), (6, 'José', 'Núñez', 'ES'), (7, 'Begoña', 'Etxeberria', 'ES'),
  (8, 'Анна', 'Кузнецова', 'RU'), (9, 'Дмитрий', 'Соловьёв', 'RU'), (10, 'محمد', 'الحداد', 'EG'), (11, 'ليلى', 'منصور', 'EG'),
  (12, '지우', '김', 'KR'), (13, '민준', '박', 'KR'), (14, 'Jürgen', 'Weiß', 'DE'), (15, 'Käthe', 'Müller', 'DE'),
  (16, 'Françoise', 'Lefèvre', 'FR'), (17, 'Gaël', 'D''Aubigné', 'FR'), (18, 'Nguyễn', 'Thị Hạnh', 'VN'), (19, 'ประเสริฐ', 'ศรีสุข', 'TH'),
  (20, 'João', 'Conceição', 'BR'), (21, '小明', '王', 'CN'), (22, '麗華', '陳', 'TW'), (23, 'Ειρήνη', 'Παπαδοπούλου', 'GR'),
  (24, 'Þórunn', 'Æsudóttir', 'IS'), (25, 'Åse', 'Bjørnsen', 'NO'), (26, 'İpek', 'Şahin', 'TR'), (27, 'Mary', 'Smith', 'US'),
  (28, 'Emma 🎓', 'Jones', 'US'), (29, 'שירה', 'לוי', 'IL'), (30, 'आरती', 'शर्मा', 'IN');

CREATE VIEW class_overview AS
  SELECT c.id, c.title, c.language, c.level, t.name AS teacher, c.enrolled, c.seats
  FROM classes c JOIN teachers t ON t.id = c.teacher_id;
CREATE VIEW late_submissions AS
  SELECT s.id, st.full_name, e.due_at, s.submitted_at, s.s3_key
  FROM submissions s JOIN students st ON st.id = s.student_id JOIN exercises e ON e.id = s.exercise_id
  WHERE s.is_late;

DELIMITER //
CREATE TRIGGER enrolment_added AFTER INSERT ON enrolments FOR EACH ROW
BEGIN
  UPDATE classes SET enrolled = enrolled + 1 WHERE id = NEW.class_id;
END//
CREATE TRIGGER enrolment_removed AFTER DELETE ON enrolments FOR EACH ROW
BEGIN
  UPDATE classes SET enrolled = enrolled - 1 WHERE id = OLD.class_id;
END//
CREATE TRIGGER submission_checked BEFORE INSERT ON submissions FOR EACH ROW
BEGIN
  SET NEW.is_late = NEW.submitted_at > (SELECT due_at FROM exercises WHERE id = NEW.exercise_id);
END//
CREATE FUNCTION grade(score TINYINT UNSIGNED) RETURNS CHAR(1) DETERMINISTIC NO SQL
BEGIN
  RETURN CASE WHEN score IS NULL THEN '-' WHEN score >= 9 THEN 'A' WHEN score >= 7 THEN 'B' WHEN score >= 5 THEN 'C' ELSE 'D' END;
END//
CREATE PROCEDURE count_day(IN wanted DATE)
BEGIN
  REPLACE INTO daily_statistics
    SELECT wanted, c.language, COUNT(*), AVG(s.score)
    FROM submissions s JOIN exercises e ON e.id = s.exercise_id JOIN classes c ON c.id = e.class_id
    WHERE s.submitted_at >= wanted AND s.submitted_at < wanted + INTERVAL 1 DAY
    GROUP BY c.language;
  INSERT INTO audit_log (what, detail) VALUES ('count_day', wanted);
END//
CREATE EVENT count_yesterday ON SCHEDULE EVERY 1 DAY STARTS '2014-01-01 03:00:00' ON COMPLETION PRESERVE
  COMMENT 'nightly statistics' DO CALL count_day(CURRENT_DATE - INTERVAL 1 DAY)//
DELIMITER ;

START TRANSACTION;
INSERT INTO teachers (name, email, language, hourly_rate, photo, hired_on)
  SELECT CONCAT(n.given_name, ' ', n.family_name), CONCAT('teacher', s.seq, '@school.example'),
    ELT(1 + s.seq % 6, 'en', 'es', 'ja', 'de', 'fr', 'ko'), 18 + s.seq % 23 + 0.5,
    -- Bytes that no text survives: NUL, quotes, backslash, line ends, a broken UTF-8 sequence.
    CONCAT(UNHEX('89504E470D0A1A0A00275C22FFC3280D0A'), UNHEX(REPEAT(MD5(s.seq), 60))),
    '2011-09-01' + INTERVAL s.seq * 17 DAY
  FROM seq_1_to_24 s JOIN names n ON n.id = (s.seq * 5) % 31;
INSERT INTO classes (teacher_id, title, language, level, weekdays, starts_on)
  SELECT t.id, CONCAT(ELT(1 + t.id % 6, 'English', 'Español', '日本語', 'Deutsch', 'Français', '한국어'), ' ', ELT(1 + s.seq % 6, 'A1', 'A2', 'B1', 'B2', 'C1', 'C2'),
      ELT(1 + s.seq % 4, '', ' – evening', ' “intensive”', ' 100% online')),
    t.language, ELT(1 + s.seq % 6, 'A1', 'A2', 'B1', 'B2', 'C1', 'C2'),
    ELT(1 + s.seq % 3, 'mon,wed', 'tue,thu', 'sat'), '2014-01-06' + INTERVAL (s.seq % 12) WEEK
  FROM seq_1_to_60 s JOIN teachers t ON t.id = 1 + s.seq % 24;
INSERT INTO students (given_name, family_name, email, country, born_on, settings, created_at)
  SELECT n.given_name, f.family_name, CONCAT('student', s.seq, '@mail.example'), n.country,
    IF(s.seq % 11 = 0, NULL, '1975-01-01' + INTERVAL (s.seq * 37 % 10000) DAY),
    CONCAT('{"locale":"', LOWER(n.country), '","emails":', IF(s.seq % 3, 'true', 'false'), ',"path":"C:\\\\', s.seq, '"}'),
    '2013-02-01 08:00:00' + INTERVAL s.seq * 511 MINUTE
  FROM seq_1_to_800 s JOIN names n ON n.id = s.seq % 31 JOIN names f ON f.id = (s.seq * 7 + 3) % 31;
INSERT INTO enrolments (class_id, student_id, enrolled_on, paid)
  SELECT 1 + (s.seq * 13 + k.seq * 7) % 60, s.seq, '2014-01-02' + INTERVAL (s.seq % 60) DAY, 120 + 15 * (s.seq % 9)
  FROM seq_1_to_800 s JOIN seq_1_to_2 k;
INSERT INTO exercises (class_id, kind, prompt, answer_key, due_at)
  SELECT 1 + s.seq % 60, ELT(1 + s.seq % 4, 'listen', 'speak', 'read', 'write'),
    CONCAT(ELT(1 + s.seq % 5, 'Listen and repeat: “Où est la gare ?”', '次の文を読みなさい。', 'Describe your weekend\nin five sentences.', 'Übersetze: it''s raining', 'Escribe una carta; tab:\there'), ' (', s.seq, ')'),
    IF(s.seq % 3 = 0, UNHEX(REPEAT(SHA1(s.seq), 4)), NULL), '2014-02-03 18:00:00.500' + INTERVAL s.seq * 260 MINUTE
  FROM seq_1_to_480 s;
INSERT INTO submissions (exercise_id, student_id, s3_key, size_bytes, checksum, submitted_at, score, remark)
  SELECT e.id, st.id, CONCAT('submissions/', DATE_FORMAT(e.due_at, '%Y/%m/%d'), '/', LPAD(s.seq, 6, '0'), ELT(1 + s.seq % 3, '.mp3', '.ogg', '.txt')),
    2000 + CRC32(s.seq) % 400000, UNHEX(MD5(CONCAT('file', s.seq))), e.due_at + INTERVAL 288 MINUTE - INTERVAL (CRC32(CONCAT('t', s.seq)) % 5760) MINUTE,
    IF(s.seq % 13 = 0, NULL, CRC32(CONCAT('s', s.seq)) % 11), IF(s.seq % 9 = 0, ELT(1 + s.seq % 4, 'よくできました 👏', 'Très bien !', 'gut, aber: „Fälle“ üben', 'see \\ and '' again'), NULL)
  FROM seq_1_to_6000 s JOIN exercises e ON e.id = 1 + s.seq % 480 JOIN students st ON st.id = 1 + (s.seq * 17) % 800;
COMMIT;
CALL count_day('2014-03-10');
CALL count_day('2014-03-11');
