[Setup]
AppName=t1546 lab
AppVersion=1.0
DefaultDirName={autopf}\t1546lab
OutputBaseFilename=t1546-setup

[Files]
Source: "..\msi\readme.txt"; DestDir: "{app}"

[Run]
Filename: "{cmd}"; Parameters: "/c echo lab > {tmp}\t1546_inno.txt"; Flags: runhidden
