%% a comment with {vsn,"9"}
{application,mooring,
             [{description,"Ropes {vsn, \"8\"}"},
              {vsn,"1.2.0"},
              {modules,[mooring,'mooring.odd']},
              {registered,[]},
              {applications,[kernel,stdlib]},
              {env,[{vsn,"7"}]},
              {licenses,["Apache-2.0"]},
              {mod,{mooring_app,[]}}]}.
