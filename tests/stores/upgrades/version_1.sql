BEGIN TRANSACTION;
CREATE TABLE monitoring_baselines (
	model TEXT NOT NULL, 
	version TEXT NOT NULL, 
	model_version TEXT NOT NULL, 
	valid_from TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (model, version)
);
INSERT INTO "monitoring_baselines" VALUES('flight_delay','b-1','v1','2024-05-01','2024-05-04 06:00:00.000000');
CREATE TABLE monitoring_cursors (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "monitoring_cursors" VALUES('flight_delay/alerts','3');
CREATE TABLE monitoring_deliveries (
	model_id INTEGER NOT NULL, 
	uri TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	PRIMARY KEY (model_id, uri)
);
CREATE TABLE monitoring_evaluations (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	"key" VARCHAR(32) NOT NULL, 
	model TEXT NOT NULL, 
	monitor TEXT NOT NULL, 
	monitor_kind TEXT NOT NULL, 
	metric TEXT NOT NULL, 
	"column" TEXT, 
	segment TEXT, 
	baseline_kind TEXT, 
	baseline_version TEXT, 
	partition TEXT NOT NULL, 
	window_start DATETIME NOT NULL, 
	window_end DATETIME NOT NULL, 
	value DOUBLE, 
	lower DOUBLE, 
	upper DOUBLE, 
	status VARCHAR(16) NOT NULL, 
	severity VARCHAR(16), 
	reason TEXT, 
	n BIGINT NOT NULL, 
	n_labelled BIGINT, 
	model_version TEXT, 
	evaluated_at DATETIME NOT NULL, 
	run_id TEXT, 
	superseded_at DATETIME
);
INSERT INTO "monitoring_evaluations" VALUES(1,'7e600be236d523f6e43900aba0e6a583','flight_delay','performance','performance','accuracy',NULL,NULL,'training','b-1','2024-05-01','2024-05-01 00:00:00.000000','2024-05-02 00:00:00.000000',0.75,0.8,NULL,'TRIGGERED','ERROR','0.75 is below 0.8',100,80,'v1','2024-05-04 06:00:00.000000','run-1','2024-05-05 06:00:00.000000');
INSERT INTO "monitoring_evaluations" VALUES(2,'0a9081769cc66d23b882a0040c7d8111','flight_delay','drift','drift','psi','wind é','carrier=UA','training','b-1','2024-05-01','2024-05-01 00:00:00.000000','2024-05-02 00:00:00.000000',0.125,NULL,0.2,'HEALTHY',NULL,NULL,100,NULL,'v1','2024-05-04 06:00:00.000000','run-1',NULL);
INSERT INTO "monitoring_evaluations" VALUES(3,'7e600be236d523f6e43900aba0e6a583','flight_delay','performance','performance','accuracy',NULL,NULL,'training','b-1','2024-05-01','2024-05-01 00:00:00.000000','2024-05-02 00:00:00.000000',0.7,0.8,NULL,'TRIGGERED','ERROR','0.75 is below 0.8',100,95,'v1','2024-05-05 06:00:00.000000','run-2',NULL);
CREATE TABLE monitoring_incidents (
	version INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id TEXT NOT NULL, 
	model TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	severity VARCHAR(16) NOT NULL, 
	opened_partition TEXT NOT NULL, 
	last_partition TEXT NOT NULL, 
	resolved_partition TEXT, 
	monitors TEXT NOT NULL, 
	worst TEXT NOT NULL, 
	historical BOOLEAN NOT NULL, 
	opened_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	is_current BOOLEAN NOT NULL
);
INSERT INTO "monitoring_incidents" VALUES(1,'inc-1','flight_delay','OPEN','ERROR','2024-05-01','2024-05-01',NULL,'["performance"]','["{\"model\": \"flight_delay\", \"monitor\": \"performance\", \"monitor_kind\": \"performance\", \"metric\": \"accuracy\", \"column\": null, \"segment\": null, \"baseline_kind\": \"training\", \"baseline_version\": \"b-1\", \"partition\": \"2024-05-01\", \"window_start\": \"2024-05-01T00:00:00+00:00\", \"window_end\": \"2024-05-02T00:00:00+00:00\", \"value\": 0.75, \"lower\": 0.8, \"upper\": null, \"status\": \"TRIGGERED\", \"severity\": \"ERROR\", \"reason\": \"0.75 is below 0.8\", \"n\": 100, \"n_labelled\": 80, \"model_version\": \"v1\", \"evaluated_at\": \"2024-05-04T06:00:00+00:00\", \"run_id\": \"run-1\"}"]',0,'2024-05-04 06:00:00.000000','2024-05-04 06:00:00.000000',1);
CREATE TABLE monitoring_label_appends (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	model_id INTEGER NOT NULL, 
	delivery TEXT NOT NULL
);
INSERT INTO "monitoring_label_appends" VALUES(1,1,'file:labels/1.parquet');
INSERT INTO "monitoring_label_appends" VALUES(2,1,'file:labels/2.parquet');
CREATE TABLE monitoring_label_changes (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	model_id INTEGER NOT NULL, 
	partition TEXT NOT NULL, 
	labels BIGINT NOT NULL
);
INSERT INTO "monitoring_label_changes" VALUES(1,1,'2024-05-01',2);
INSERT INTO "monitoring_label_changes" VALUES(2,1,'2024-05-01',1);
CREATE TABLE monitoring_labels (
	model_id INTEGER NOT NULL, 
	prediction_id TEXT NOT NULL, 
	revision BIGINT NOT NULL, 
	available_at BIGINT NOT NULL, 
	label TEXT NOT NULL, 
	event_time BIGINT, 
	append_id BIGINT NOT NULL, 
	PRIMARY KEY (model_id, prediction_id, revision, available_at, label)
)
 WITHOUT ROWID

;
INSERT INTO "monitoring_labels" VALUES(1,'a',1,1714802400000000,'n1',NULL,1);
INSERT INTO "monitoring_labels" VALUES(1,'a',2,1714888800000000,'n0',NULL,2);
INSERT INTO "monitoring_labels" VALUES(1,'b',1,1714802400000000,'n0',NULL,1);
INSERT INTO "monitoring_labels" VALUES(1,'early',1,1714802400000000,'n1',NULL,1);
CREATE TABLE monitoring_models (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "monitoring_models" VALUES(1,'flight_delay');
CREATE TABLE monitoring_outbox (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	model TEXT NOT NULL, 
	incident_id TEXT NOT NULL, 
	transition VARCHAR(16) NOT NULL, 
	channel TEXT NOT NULL, 
	dedup_key TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	attempts INTEGER NOT NULL, 
	last_error TEXT, 
	next_attempt_at DATETIME NOT NULL, 
	sent_at DATETIME, 
	UNIQUE (dedup_key)
);
INSERT INTO "monitoring_outbox" VALUES(1,'flight_delay','inc-1','OPENED','slack','inc-1:OPENED:slack','{"title": "é"}','2024-05-04 06:00:00.000000',0,NULL,'2024-05-04 06:00:00.000000',NULL);
CREATE TABLE monitoring_partitions (
	model_id INTEGER NOT NULL, 
	partition TEXT NOT NULL, 
	predictions BIGINT NOT NULL, 
	PRIMARY KEY (model_id, partition)
);
INSERT INTO "monitoring_partitions" VALUES(1,'2024-05-01',3);
CREATE TABLE monitoring_predictions (
	model_id INTEGER NOT NULL, 
	partition TEXT NOT NULL, 
	prediction_id TEXT NOT NULL, 
	PRIMARY KEY (model_id, partition, prediction_id)
)
 WITHOUT ROWID

;
INSERT INTO "monitoring_predictions" VALUES(1,'2024-05-01','a');
INSERT INTO "monitoring_predictions" VALUES(1,'2024-05-01','b');
INSERT INTO "monitoring_predictions" VALUES(1,'2024-05-01','c');
CREATE TABLE monitoring_retrainings (
	id TEXT NOT NULL, 
	model TEXT NOT NULL, 
	incident_id TEXT, 
	partition TEXT NOT NULL, 
	requested_at DATETIME NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	challenger_version TEXT, 
	reason TEXT, 
	finished_at DATETIME, 
	PRIMARY KEY (id)
);
INSERT INTO "monitoring_retrainings" VALUES('inc-1-1','flight_delay','inc-1','2024-05-01','2024-05-04 06:00:00.000000','PROMOTED','v2','better','2024-05-04 06:00:00.000000');
CREATE TABLE monitoring_schema_version (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "monitoring_schema_version" VALUES(1);
CREATE UNIQUE INDEX monitoring_evaluations_current ON monitoring_evaluations ("key") WHERE superseded_at IS NULL;
CREATE INDEX monitoring_evaluations_by_partition ON monitoring_evaluations (model, partition);
CREATE INDEX monitoring_predictions_by_id ON monitoring_predictions (model_id, prediction_id);
CREATE INDEX monitoring_label_changes_by_model ON monitoring_label_changes (model_id, id);
CREATE INDEX monitoring_incidents_by_model ON monitoring_incidents (model, is_current);
CREATE UNIQUE INDEX monitoring_incidents_current ON monitoring_incidents (id) WHERE is_current;
CREATE INDEX monitoring_outbox_due ON monitoring_outbox (sent_at, next_attempt_at);
CREATE INDEX monitoring_retrainings_by_model ON monitoring_retrainings (model, requested_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('monitoring_evaluations',3);
INSERT INTO "sqlite_sequence" VALUES('monitoring_label_appends',2);
INSERT INTO "sqlite_sequence" VALUES('monitoring_label_changes',2);
INSERT INTO "sqlite_sequence" VALUES('monitoring_outbox',1);
INSERT INTO "sqlite_sequence" VALUES('monitoring_incidents',1);
COMMIT;
