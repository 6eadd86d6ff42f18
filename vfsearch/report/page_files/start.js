startTables();
startPlots();
if (byId("list")) new Answers(new Player());
